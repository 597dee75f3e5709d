namespace Cloister.Images.Boot.Programs;

/// <summary>What a system call is given: a number, an address of the program's data, or a value known only when it runs.</summary>
internal readonly record struct Operand
{
    private Operand(OperandKind kind, long value) => (Kind, Value) = (kind, value);

    public OperandKind Kind { get; }

    public long Value { get; }

    /// <summary>The environment that the program was started with.</summary>
    public static Operand Environment => new(OperandKind.Environment, 0);

    /// <summary>An argument that the program was started with; 0 is its own name.</summary>
    public static Operand Argument(int index) => new(OperandKind.Argument, index);

    /// <summary>The list of arguments from one on.</summary>
    public static Operand ArgumentsFrom(int index) => new(OperandKind.ArgumentList, index);

    /// <summary>A value that lies at an address when the program runs.</summary>
    public static Operand At(long address) => new(OperandKind.Stored, address);

    public static implicit operator Operand(long value) => new(OperandKind.Number, value);
}

/// <summary>Where an operand's value comes from.</summary>
internal enum OperandKind
{
    Number,
    Stored,
    Argument,
    ArgumentList,
    Environment,
}
