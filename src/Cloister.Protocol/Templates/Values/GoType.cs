namespace Cloister.Protocol.Templates.Values;

/// <summary>Go's reflect.Kind, as far as templates meet it.</summary>
internal enum TemplateValueKind { Bool, Int, Uint, Float, Complex, String, Slice, Map, Struct, Pointer, Array }

/// <summary>A field of a struct type.</summary>
internal sealed record GoField(string Name, string TypeName);

/// <summary>A Go type: what its values are called in messages, and what they are made of.</summary>
internal sealed class GoType(string name, TemplateValueKind kind)
{
    public static readonly GoType Bool = new("bool", TemplateValueKind.Bool);
    public static readonly GoType Int = new("int", TemplateValueKind.Int);
    public static readonly GoType Int64 = new("int64", TemplateValueKind.Int);
    public static readonly GoType Uint = new("uint", TemplateValueKind.Uint);
    public static readonly GoType Uint64 = new("uint64", TemplateValueKind.Uint);
    public static readonly GoType Uint8 = new("uint8", TemplateValueKind.Uint);
    public static readonly GoType Float64 = new("float64", TemplateValueKind.Float);
    public static readonly GoType Complex128 = new("complex128", TemplateValueKind.Complex);
    public static readonly GoType String = new("string", TemplateValueKind.String);
    public static readonly GoType Bytes = new("[]uint8", TemplateValueKind.Slice);

    /// <summary>As reflect.Type.String writes it.</summary>
    public string Name { get; } = name;

    public TemplateValueKind Kind { get; } = kind;

    /// <summary>Fields of a struct, in order.</summary>
    public IReadOnlyList<GoField> Fields { get; init; } = [];

    /// <summary>The elements' type name, of a slice or map; for messages and %#v.</summary>
    public string Element { get; init; } = "";

    /// <summary>What %v writes instead of the value, where the type has a String method.</summary>
    public Func<TemplateValue, string>? Text { get; init; }

    /// <summary>What %#v writes, where the type has a GoString method.</summary>
    public Func<TemplateValue, string>? Source { get; init; }

    /// <summary>Methods by name.</summary>
    public IReadOnlyDictionary<string, GoMethod> Methods { get; init; } = System.Collections.Frozen.FrozenDictionary<string, GoMethod>.Empty;

    /// <summary>Whether it stands for a type of Go's whose inside is not modelled, and which therefore is not printed.</summary>
    public bool IsOpaque { get; init; }

    /// <summary>Whether == is defined.</summary>
    public bool IsComparable { get; init; } = kind is not (TemplateValueKind.Slice or TemplateValueKind.Map);
}

/// <summary>A parameter's type: any value, or one type.</summary>
/// <param name="TypeOf">Null for an empty interface. A function, because a type's methods may take the type itself.</param>
internal sealed record GoParameter(Func<GoType>? TypeOf)
{
    public static readonly GoParameter Any = new((Func<GoType>?)null);
    public static readonly GoParameter Text = new(() => GoType.String);
    public static readonly GoParameter Number = new(() => GoType.Int);

    public GoType? Type => TypeOf?.Invoke();
}

/// <summary>A method; the receiver comes first to <paramref name="Call"/>. A refusal it throws is the error that Go's method would return.</summary>
internal sealed record GoMethod(GoParameter[] Parameters, Func<TemplateValue, TemplateValue?[], TemplateValue?> Call);

/// <summary>What a function or method of a template says is wrong; it becomes "error calling name: ...".</summary>
internal sealed class GoCallException(ProtocolError error, string reason) : Exception(reason)
{
    public GoCallException(string reason) : this(ProtocolError.TemplateWrongType, reason) { }

    public ProtocolError Error { get; } = error;
}
