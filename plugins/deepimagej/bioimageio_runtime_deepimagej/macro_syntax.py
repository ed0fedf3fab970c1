"""The syntax of ImageJ macros, as far as macros for pre- and postprocessing use it: text to a tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from .macro_tree import (
    Assign,
    Binary,
    Block,
    Call,
    Do,
    Expression,
    For,
    Function,
    If,
    Index,
    Length,
    MacroError,
    Name,
    Number,
    Program,
    Return,
    Statement,
    Text,
    Unary,
    While,
)

__all__ = ["parse_macro"]

LONGEST = 2**18
"""Characters of the longest macro that is parsed."""

DEEPEST = 60
"""Nested brackets and statements of a macro that is parsed."""


TOKENS = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>\+\+|--|\+=|-=|\*=|/=|==|!=|<=|>=|&&|\|\||[-+*/%=<>!(){}\[\],;.&|^~])""",
    re.VERBOSE | re.DOTALL,
)
LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
"""Operators, the loosest first."""


@attrs.frozen
class Token:
    """A word of a macro."""

    kind: str
    text: str
    line: int


def parse_macro(text: str) -> Program:
    """Return the tree of a macro.

    Raises:
        MacroError: It cannot be parsed.

    """
    if len(text) > LONGEST:
        raise MacroError(f"expected a macro of at most {LONGEST} characters, found {len(text)}")
    return _Parser(_tokens(text)).program()


def _tokens(text: str) -> list[Token]:
    tokens, at, line = [], 0, 1
    while at < len(text):
        match = TOKENS.match(text, at)
        if match is None:
            raise MacroError(f"line {line} of the macro: expected a word, a number or a string, found {text[at : at + 10].split()[0]!r}")
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match[0], line))
        line += match[0].count("\n")
        at = match.end()
    return [*tokens, Token("end", "the end", line)]


class _Parser:
    """Goes through the words of a macro once, from the left."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0
        self._functions: dict[str, Function] = {}

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> Token | None:
        """Return the next word if it is one of these."""
        if self._next.kind in ("sign", "name") and self._next.text in texts:
            self._at += 1
            return self._tokens[self._at - 1]
        return None

    def _expect(self, text: str) -> Token:
        found = self._take(text)
        if found is None:
            raise MacroError(f"line {self._next.line} of the macro: expected {text!r}, found {self._next.text!r}")
        return found

    def _name(self) -> str:
        if self._next.kind != "name":
            raise MacroError(f"line {self._next.line} of the macro: expected a name, found {self._next.text!r}")
        self._at += 1
        return self._tokens[self._at - 1].text

    def program(self) -> Program:
        statements = []
        while self._next.kind != "end":
            if self._take("function"):
                self._function()
            else:
                statements.append(self._statement())
        return Program(tuple(statements), self._functions)

    def _function(self) -> None:
        name = self._name()
        self._expect("(")
        parameters = []
        while not self._take(")"):
            parameters.append(self._name())
            self._take(",")
        self._functions[name] = Function(tuple(parameters), self._block())

    def _block(self) -> Block:
        self._expect("{")
        statements = []
        while not self._take("}"):
            statements.append(self._statement())
        return Block(tuple(statements))

    def _statement(self) -> Statement:
        self._depth += 1
        if self._depth > DEEPEST:
            raise MacroError(f"line {self._next.line} of the macro: expected at most {DEEPEST} statements within each other, found more")
        ways: dict[str, Callable[[], Statement]] = {"if": self._if, "while": self._while, "do": self._do, "for": self._for}
        if self._next.text == "{" and self._next.kind == "sign":
            found: Statement = self._block()
        elif self._take("macro"):  # macro "name" { ... }
            self._at += 1
            found = self._block()
        elif word := self._take(*ways):
            found = ways[word.text]()
        elif self._take("return"):
            found = Return(None if self._next.text in (";", "}") else self._expression())
        elif self._take(";"):
            found = Block(())
        else:
            found = self._simple()
        self._take(";")
        self._depth -= 1
        return found

    def _if(self) -> If:
        condition = self._condition()
        then = self._statement()
        return If(condition, then, self._statement() if self._take("else") else None)

    def _while(self) -> While:
        return While(self._condition(), self._statement())

    def _do(self) -> Do:
        body = self._statement()
        self._expect("while")
        return Do(body, self._condition())

    def _for(self) -> For:
        self._expect("(")
        start = self._simple()
        self._expect(";")
        condition = self._expression()
        self._expect(";")
        step = self._simple()
        self._expect(")")
        return For(start, condition, step, self._statement())

    def _condition(self) -> Expression:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return condition

    def _simple(self) -> Statement:
        """Return an assignment or a call."""
        self._take("var")
        line = self._next.line
        if before := self._take("++", "--"):
            return self._counted(self._expression(), before.text)
        target = self._postfix()
        if after := self._take("++", "--"):
            return self._counted(target, after.text)
        if word := self._take("=", "+=", "-=", "*=", "/="):
            if not isinstance(target, Name | Index):
                raise MacroError(f"line {line} of the macro: expected a variable before {word.text!r}")
            value = self._expression()
            return Assign(target, value if word.text == "=" else Binary(word.text[0], target, value))
        if not isinstance(target, Call):
            raise MacroError(f"line {line} of the macro: expected an assignment or a call, found {self._next.text!r}")
        return target

    def _counted(self, target: Expression, word: str) -> Assign:
        if not isinstance(target, Name | Index):
            raise MacroError(f"line {self._next.line} of the macro: expected a variable beside {word!r}")
        return Assign(target, Binary(word[0], target, Number(1)))

    def _expression(self, level: int = 0) -> Expression:
        if level == len(LEVELS):
            return self._unary()
        left = self._expression(level + 1)
        while word := self._take(*LEVELS[level]):
            left = Binary(word.text, left, self._expression(level + 1))
        return left

    def _unary(self) -> Expression:
        if word := self._take("-", "!", "+"):
            operand = self._unary()
            return operand if word.text == "+" else Unary(word.text, operand)
        return self._postfix()

    def _postfix(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise MacroError(f"line {self._next.line} of the macro: expected at most {DEEPEST} brackets within each other, found more")
        found = self._atom()
        while True:
            if self._take("["):
                found = Index(found, self._expression())
                self._expect("]")
            elif self._next.text == "." and isinstance(found, Name | Index) and self._tokens[self._at + 1].text == "length":
                self._at += 2
                found = Length(found)
            else:
                self._depth -= 1
                return found

    def _atom(self) -> Expression:
        token = self._next
        self._at += 1
        match token.kind:
            case "number":
                return Number(float(int(token.text, 16)) if token.text[:2] in ("0x", "0X") else float(token.text))
            case "text":
                return Text(re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), token.text[1:-1]))
            case "name":
                name = token.text
                while self._next.text == "." and self._tokens[self._at + 1].text != "length":  # Stack.getStatistics, Array.max
                    self._at += 1
                    name += f".{self._name()}"
                return self._call(name, token.line) if self._take("(") else Name(name)
        if token.text == "(" and token.kind == "sign":
            found = self._expression()
            self._expect(")")
            return found
        raise MacroError(f"line {token.line} of the macro: expected a value, found {token.text!r}")

    def _call(self, name: str, line: int) -> Call:
        arguments = []
        while not self._take(")"):
            arguments.append(self._expression())
            if not self._take(","):
                self._expect(")")
                break
        return Call(name, tuple(arguments), line)
