"""The operations of TensorFlow graphs that need no trust.

Listed is what computes tensors from tensors, from variables and from random numbers, and what calls functions of the graph.
Left out on purpose are operations that

- read or write files (``ReadFile``, ``SaveV2``, ``InitializeTableFromTextFileV2``, datasets), also by an attribute (``ImmutableConst``),
- reach other processes or devices that are not this machine's (``RpcCall``, ``Send``, ``DataServiceDataset``, ``Collective...``),
- call Python or programs of other compilers (``PyFunc``, ``XlaCallModule``, ``TPUExecute``),
- print (``PrintV2``), sleep, or only exist for training (``SymbolicGradient``, ``ApplyAdam``, queues, summaries).
"""

from __future__ import annotations

__all__ = ["COMPUTES", "RESTORES"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MATHEMATICS = _names("""
Abs Acos Acosh Add AddN AddV2 All Angle Any ApproximateEqual ApproxTopK ArgMax ArgMin Asin Asinh Atan Atan2 Atanh BandedTriangularSolve
BatchCholesky BatchFFT BatchFFT2D BatchFFT3D BatchIFFT BatchIFFT2D BatchIFFT3D BatchMatMul BatchMatMulV2 BatchMatMulV3
BatchMatrixBandPart BatchMatrixDeterminant BatchMatrixDiag BatchMatrixDiagPart BatchMatrixInverse BatchMatrixSetDiag BatchMatrixSolve
BatchMatrixSolveLs BatchMatrixTriangularSolve BatchSelfAdjointEig BatchSelfAdjointEigV2 BatchSvd BesselI0 BesselI0e BesselI1 BesselI1e
BesselJ0 BesselJ1 BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1 Betainc Bincount BitwiseAnd BitwiseOr BitwiseXor Bucketize
Ceil Cholesky ClipByValue Complex ComplexAbs Conj Cos Cosh Cross Cumprod Cumsum CumulativeLogsumexp Dawsn DenseBincount Digamma Div
DivNoNan Eig Einsum Equal Erf Erfc Erfinv EuclideanNorm Exp Expint Expm1 FFT FFT2D FFT3D FFTND Floor FloorDiv FloorMod FresnelCos
FresnelSin Greater GreaterEqual HistogramFixedWidth IFFT IFFT2D IFFT3D IFFTND IRFFT IRFFT2D IRFFT3D IRFFTND Igamma Igammac Imag InTopK
InTopKV2 Inv Invert IsFinite IsInf IsNan KthOrderStatistic L2Loss LeftShift Less LessEqual Lgamma Log Log1p LogMatrixDeterminant
LogicalAnd LogicalNot LogicalOr Lu MatMul MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3
MatrixDiagV2 MatrixDiagV3 MatrixExponential MatrixInverse MatrixLogarithm MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 MatrixSolve
MatrixSolveLs MatrixSquareRoot MatrixTriangularSolve Max Maximum Mean Min Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual
NthElement Polygamma PopulationCount Pow Prod Qr RFFT RFFT2D RFFT3D RFFTND Real RealDiv Reciprocal RightShift Rint Round Rsqrt
SegmentMax SegmentMaxV2 SegmentMean SegmentMin SegmentMinV2 SegmentProd SegmentProdV2 SegmentSum SegmentSumV2 SelfAdjointEig
SelfAdjointEigV2 Sign Sin Sinh Spence Sqrt Square SquaredDifference Sub Sum Svd Tan TopK TopKV2 TridiagonalMatMul TridiagonalSolve
TruncateDiv TruncateMod UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum Xdivy Xlog1py Xlogy Zeta
""")
"""Numbers and matrices."""

_LAYERS = _names("""
AvgPool AvgPool3D BatchNormWithGlobalNormalization BiasAdd BiasAddV1 BlockLSTM BlockLSTMV2 CudnnRNN CudnnRNNV2 CudnnRNNV3 Conv Conv2D
Conv2DBackpropInput Conv2DBackpropInputV2 Conv3D Conv3DBackpropInput Conv3DBackpropInputV2 DepthwiseConv2dNative
DepthwiseConv2dNativeBackpropInput Dilation2D Elu FractionalAvgPool FractionalMaxPool FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
FusedPadConv2D FusedResizeAndPadConv2D GRUBlockCell LRN LSTMBlockCell LeakyRelu LogSoftmax MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax
Relu Relu6 Selu Sigmoid Softmax SoftmaxCrossEntropyWithLogits Softplus Softsign SparseSoftmaxCrossEntropyWithLogits Tanh
_FusedBatchNormEx _FusedConv2D _FusedDepthwiseConv2dNative _FusedMatMul FusedDepthwiseConv2dNative
""")
"""Layers of networks; those that TensorFlow.js and Grappler merge have names of their own."""

_IMAGES = _names("""
AdjustContrast AdjustContrastv2 AdjustHue AdjustSaturation CombinedNonMaxSuppression CropAndResize DrawBoundingBoxes DrawBoundingBoxesV2
ExtractGlimpse ExtractGlimpseV2 ExtractImagePatches ExtractVolumePatches GenerateBoundingBoxProposals HSVToRGB
ImageProjectiveTransformV2 ImageProjectiveTransformV3 NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4
NonMaxSuppressionV5 NonMaxSuppressionWithOverlaps RGBToHSV ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor
SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 ScaleAndTranslate StatelessSampleDistortedBoundingBox
""")
"""Images as tensors."""

_SHAPES = _names("""
BatchToSpace BatchToSpaceND Bitcast BroadcastArgs BroadcastGradientArgs BroadcastTo Cast Concat ConcatOffset ConcatV2 ConjugateTranspose
Const Copy DataFormatDimMap DataFormatVecPermute DeepCopy DepthToSpace Diag DiagPart DynamicPartition DynamicStitch EnsureShape
ExpandDims Fill Gather GatherNd GatherV2 GuaranteeConst Identity IdentityN InvertPermutation LinSpace ListDiff LowerBound MirrorPad
OneHot OnesLike Pack Pad PadV2 ParallelConcat ParallelDynamicStitch Placeholder PlaceholderV2 PlaceholderWithDefault PreventGradient
Range Rank Reshape Reverse ReverseSequence ReverseV2 Roll ScatterNd ScatterNdNonAliasingAdd Select SelectV2 Shape ShapeN Size Slice
Snapshot SpaceToBatch SpaceToBatchND SpaceToDepth SparseReshape SparseTensorDenseMatMul SparseToDense Split SplitV Squeeze StopGradient
StridedSlice TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile
Transpose Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UpperBound Where ZerosLike
""")
"""Axes, sizes and parts of tensors."""

_QUANTIZED = _names("""
Dequantize FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantize
QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeDownAndShrinkRange QuantizeV2 QuantizedAdd
QuantizedAvgPool QuantizedBiasAdd QuantizedConcat QuantizedConv2D QuantizedDepthwiseConv2D QuantizedInstanceNorm QuantizedMatMul
QuantizedMaxPool QuantizedMul QuantizedRelu QuantizedRelu6 QuantizedReshape QuantizedResizeBilinear RequantizationRange Requantize
""")
"""Networks in integers."""

_STATE = _names("""
Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp DestroyResourceOp DisableCopyOnRead
IsVariableInitialized ReadVariableOp ResourceGather ResourceGatherNd ResourceScatterAdd ResourceScatterNdUpdate ResourceScatterUpdate
ResourceStridedSliceAssign VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2 AnonymousHashTable AnonymousMutableHashTable
HashTable HashTableV2 InitializeTable InitializeTableV2 LookupTableExportV2 LookupTableFind LookupTableFindV2 LookupTableImportV2
LookupTableInsertV2 LookupTableSizeV2 MutableHashTable MutableHashTableV2 EmptyTensorList TensorListConcat TensorListConcatLists
TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack
TensorListPushBack TensorListReserve TensorListResize TensorListScatter TensorListScatterV2 TensorListSetItem TensorListSplit
TensorListStack TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3
TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 Multinomial ParameterizedTruncatedNormal RandomGamma RandomPoissonV2 RandomShuffle
RandomStandardNormal RandomUniform RandomUniformInt RngReadAndSkip RngSkip StatefulStandardNormalV2 StatefulTruncatedNormal
StatefulUniform StatefulUniformFullInt StatefulUniformInt StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter
StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullInt
StatelessRandomUniformFullIntV2 StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessShuffle
StatelessTruncatedNormal StatelessTruncatedNormalV2 TruncatedNormal
""")
"""Variables, tables of tensors, lists and random numbers."""

_FLOW = _names("""
Assert Case CheckNumerics CheckNumericsV2 ControlTrigger Enter Exit If LoopCond Merge NextIteration NoOp PartitionedCall RefEnter
RefExit RefIdentity RefMerge RefNextIteration RefSwitch StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile Switch
While _Arg _Retval
""")
"""Conditions, loops and calls; the functions that they call are checked like the graph."""

_TEXT = _names("AsString RegexFullMatch RegexReplace StaticRegexFullMatch StringFormat StringJoin StringLength StringLower StringStrip")
"""Text, which assertions put together."""

COMPUTES = _MATHEMATICS | _LAYERS | _IMAGES | _SHAPES | _QUANTIZED | _STATE | _FLOW | _TEXT
"""Operations that may run without trust."""

RESTORES = frozenset({"RestoreV2", "ShardedFilename"})
"""Operations that read the variables beside a graph; TensorFlow runs them when it loads the graph, with the name of that file."""
