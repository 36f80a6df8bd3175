"""Lists the nodes of sqlglot's tree that only read; all others are refused."""

from __future__ import annotations

from sqlglot import exp

ROOTS = frozenset({exp.Select, exp.Subquery, exp.Values, exp.Union, exp.Intersect, exp.Except, exp.Pivot})
"""Roots of statements. `TABLE x` and DuckDB's `FROM x` are Selects to sqlglot."""

SYNTAX = """
    Add Adjacent Alias Aliases All Any AtTimeZone Between BitString BitwiseAnd BitwiseLeftShift BitwiseNot BitwiseOr
    BitwiseRightShift BitwiseXor Boolean Bracket ByteString CTE CharacterSet Cluster CollateColumnConstraint Column
    ColumnDef ColumnConstraint DefaultColumnConstraint NotNullColumnConstraint PathColumnConstraint Comprehension Cube
    DPipe DataType DataTypeParam Describe Distance Distinct Distribute Div Dot EQ Escape Except ExtendsLeft
    ExtendsRight Fetch Filter FormatJson From GT GTE Glob Group GroupingSets Having HavingMax HexString ILike
    Identifier IgnoreNulls In IndexTableHint IntDiv Intersect Interval IntervalSpan Introducer Is JSON JSONColumnDef
    JSONKeyValue JSONPath JSONPathFilter JSONPathKey JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector
    JSONPathSlice JSONPathSubscript JSONPathUnion JSONPathWildcard JSONSchema JSONValue Join Kwarg LT LTE Lambda
    Lateral Like Limit LimitOptions Literal Match Mod Mul NEQ National Neg Not Null NullSafeEQ NullSafeNEQ
    ObjectIdentifier Offset OnCondition Operator Order Ordered Overlaps Paren Partition Pivot PivotAlias PivotAny
    PositionalColumn PropertyEQ Qualify RawString RecursiveWithSearch RespectNulls Rollup Select SimilarTo Slice Sort
    Star Sub Subquery Summarize Table TableAlias TableColumn TableFromRows TableSample Tuple UnicodeString Union
    UnpivotColumns Values Var Variadic Version Where Window WindowSpec With WithinGroup XMLNamespace
    """
FUNCTIONS = """
    Abs Acos Acosh AddMonths And Anonymous AnyValue ApproxDistinct ApproxQuantile ApproxTopK ArgMax ArgMin Array
    ArrayAgg ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayContainedBy ArrayContains
    ArrayContainsAll ArrayDistinct ArrayFilter ArrayFirst ArrayIntersect ArrayLast ArrayMax ArrayMin
    ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayReverse ArraySize ArraySlice ArraySort
    ArrayToString ArrayUniqueAgg Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg BitwiseCount
    BitwiseOrAgg BitwiseXorAgg Case Cast CastToStrType Cbrt Ceil Chr Coalesce Collate Collation Columns Compress
    Concat ConcatWs Contains ConvertTimezone Corr Cos Cosh CosineDistance Cot Count CountIf CovarPop CovarSamp
    CumeDist CurrentCatalog CurrentDatabase CurrentDate CurrentRole CurrentSchema CurrentSchemas CurrentTime
    CurrentTimestamp CurrentUser CurrentVersion Date DateAdd DateBin DateDiff DateFromParts DateSub DateTrunc
    DatetimeAdd DatetimeDiff DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname
    Decode DecodeCase Degrees DenseRank Elt Encode EndsWith EuclideanDistance Exists Exp Explode
    ExplodingGenerateSeries Extract Factorial First FirstValue Flatten Floor Format FromBase64 FromJson FromTimeZone
    GenerateSeries Getbit Greatest GroupConcat Grouping GroupingId Hex Host Hour If Initcap IsInf IsNan
    JSONArray JSONArrayAgg JSONArrayAppend JSONArrayContains JSONArrayInsert JSONBContains
    JSONBContainsAllTopKeys JSONBContainsAnyTopKeys JSONBContainsTopKey JSONBExtract JSONBExtractScalar
    JSONBObjectAgg JSONBPathExists JSONExtract JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONObject
    JSONObjectAgg JSONRemove JSONSet JSONStripNulls JSONTable JSONType JarowinklerSimilarity JustifyDays
    JustifyHours JustifyInterval Kurtosis Lag Last LastDay LastValue Lead Least Left Length Levenshtein Ln
    Localtime Localtimestamp Log LogicalAnd LogicalOr Lower MD5 MakeInterval Map MapFromEntries MapKeys
    MatchAgainst Max Median Min Minute Mode Month Monthname Normalize NthValue Ntile Nullif NumberToStr Nvl2 Or
    Overlay Pad ParseJSON PercentRank PercentileCont PercentileDisc Pi Pow Quantile Quarter Radians Rand Rank
    Reduce RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpInstr RegexpLike
    RegexpReplace RegexpSplit RegexpSubstr RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx
    RegrSxy RegrSyy Repeat Replace Reverse Right Round RowNumber SHA SHA2 SHA2Digest Second SessionUser Sign Sin
    Sinh Skewness Soundex Space Split SplitPart Sqrt StDistance StartsWith Stddev StddevPop StddevSamp
    StrPosition StrToDate StrToTime StringToArray Struct StructExtract Stuff Substring SubstringIndex Sum Tan
    Tanh Time TimeAdd TimeDiff TimeFromParts TimeStrToTime TimeSub TimeToStr TimeToUnix Timestamp TimestampAdd
    TimestampDiff TimestampFromParts TimestampSub TimestampTrunc ToBase64 ToBinary ToChar ToDays ToDouble ToMap
    ToNumber Transform Translate Trim Trunc Try TryCast TsOrDsToDate TsOrDsToTimestamp Typeof Unhex Unicode UnixToTime
    Unnest Upper UtcDate UtcTime UtcTimestamp Uuid Variance VariancePop Week WeekOfYear WeightString WidthBucket
    XMLElement XMLTable Xor Year
    """
"""Functions and operators with classes of their own. Which names may be called, the databases' own lists decide."""

NODES: frozenset[type[exp.Expr]] = frozenset(getattr(exp, name) for name in (SYNTAX + FUNCTIONS).split())
