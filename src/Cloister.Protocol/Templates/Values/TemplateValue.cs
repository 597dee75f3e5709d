using System.Numerics;
using System.Text;

namespace Cloister.Protocol.Templates.Values;

/// <summary>
/// A value of Go's while a template runs. A null reference is reflect's invalid value, which is also what an untyped nil is.
/// Text and keys are bytes: they may be secret, and only arrays can be cleared.
/// </summary>
internal abstract class TemplateValue(GoType type)
{
    public GoType Type { get; } = type;

    public TemplateValueKind Kind => Type.Kind;

    /// <summary>Whether it was computed from a secret's value; such a value is not written into messages.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Go's truth: not the zero of its type; a struct is always true.</summary>
    public abstract bool IsTrue { get; }
}

internal sealed class GoBool(bool value, GoType? type = null) : TemplateValue(type ?? GoType.Bool)
{
    public static readonly GoBool True = new(true);
    public static readonly GoBool False = new(false);

    public bool Value { get; } = value;

    public override bool IsTrue => Value;

    public static GoBool Of(bool value) => value ? True : False;
}

internal sealed class GoInt(long value, GoType? type = null) : TemplateValue(type ?? GoType.Int)
{
    public long Value { get; } = value;

    public override bool IsTrue => Value != 0;
}

internal sealed class GoUint(ulong value, GoType? type = null) : TemplateValue(type ?? GoType.Uint)
{
    public ulong Value { get; } = value;

    public override bool IsTrue => Value != 0;
}

internal sealed class GoFloat(double value) : TemplateValue(GoType.Float64)
{
    public double Value { get; } = value;

    public override bool IsTrue => Value != 0;
}

internal sealed class GoComplex(Complex value) : TemplateValue(GoType.Complex128)
{
    public Complex Value { get; } = value;

    public override bool IsTrue => Value != Complex.Zero;
}

/// <summary>A string: bytes, usually UTF-8.</summary>
internal sealed class GoString(ReadOnlyMemory<byte> bytes) : TemplateValue(GoType.String)
{
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public override bool IsTrue => !Bytes.IsEmpty;

    public static GoString Of(string text) => new(Encoding.UTF8.GetBytes(text));
}

/// <summary>A byte slice of any type. It keeps what lies behind its length, because Go's slice can reach it.</summary>
internal sealed class GoBytes(ReadOnlyMemory<byte> bytes, int length, GoType? type = null) : TemplateValue(type ?? GoType.Bytes)
{
    public GoBytes(ReadOnlyMemory<byte> bytes, GoType? type = null) : this(bytes, bytes.Length, type) { }

    public ReadOnlyMemory<byte> Bytes => WithCapacity[..Length];

    public int Length { get; } = length;

    public ReadOnlyMemory<byte> WithCapacity { get; } = bytes;

    /// <summary>Whether it is Go's nil slice.</summary>
    public bool IsNil => WithCapacity.IsEmpty;

    public override bool IsTrue => Length != 0;
}

/// <summary>A slice of other elements; never secret.</summary>
internal sealed class GoList(GoType type, IReadOnlyList<TemplateValue?> items) : TemplateValue(type)
{
    public IReadOnlyList<TemplateValue?> Items { get; } = items;

    public override bool IsTrue => Items.Count != 0;
}

/// <summary>A map from names.</summary>
internal abstract class GoMap(GoType type) : TemplateValue(type)
{
    public abstract int Count { get; }

    /// <summary>Keys in the order Go's templates and fmt visit them: by bytes.</summary>
    public abstract IReadOnlyList<string> SortedKeys { get; }

    public abstract TemplateValue? Find(string key);

    /// <summary>What index gives for a key that is not there: the zero of the element's type.</summary>
    public abstract TemplateValue Zero { get; }

    public override bool IsTrue => Count != 0;
}

/// <summary>A struct; a field is made when it is asked for. Null is a nil interface.</summary>
internal class GoStruct(GoType type, Func<string, TemplateValue?> field) : TemplateValue(type)
{
    public TemplateValue? Field(string name) => field(name);

    public override bool IsTrue => true;
}

/// <summary>A pointer.</summary>
internal sealed class GoPointer(GoType type, TemplateValue? target) : TemplateValue(type)
{
    public TemplateValue? Target { get; } = target;

    public override bool IsTrue => Target is not null;
}
