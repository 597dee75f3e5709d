namespace Cloister.Serving.Json;

/// <summary>What the next JSON value is, seen from its first byte.</summary>
internal enum JsonKind
{
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
    End,
}
