using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What a policy asks of one field. No field means "anything" by being absent: that takes an explicit <see cref="Any"/>.</summary>
/// <typeparam name="T">The field's type.</typeparam>
public abstract record Requirement<T>
    where T : IComparable<T>, IEquatable<T>
{
    private Requirement()
    {
    }

    /// <summary>Whether a value satisfies the requirement.</summary>
    public abstract bool Accepts(T value);

    /// <summary>This value and no other.</summary>
    public sealed record Exactly(T Value) : Requirement<T>
    {
        /// <inheritdoc/>
        public override bool Accepts(T value) => Value.Equals(value);

        /// <inheritdoc/>
        public override string ToString() => $"{Value}";
    }

    /// <summary>One of these values.</summary>
    public sealed record OneOf(ImmutableArray<T> Values) : Requirement<T>
    {
        /// <inheritdoc/>
        public override bool Accepts(T value) => !Values.IsDefault && Values.Contains(value);

        /// <inheritdoc/>
        public override string ToString() => $"one of {string.Join(", ", Values.IsDefault ? [] : Values)}";
    }

    /// <summary>This value or a greater one; for versions, not for digests.</summary>
    public sealed record AtLeast(T Value) : Requirement<T>
    {
        /// <inheritdoc/>
        public override bool Accepts(T value) => value.CompareTo(Value) >= 0;

        /// <inheritdoc/>
        public override string ToString() => $"at least {Value}";
    }

    /// <summary>Whatever it is.</summary>
    public sealed record Any : Requirement<T>
    {
        /// <inheritdoc/>
        public override bool Accepts(T value) => true;

        /// <inheritdoc/>
        public override string ToString() => "any";
    }
}

/// <summary>Makes a <see cref="Requirement{T}"/>.</summary>
public static class Requirement
{
    /// <summary>This value and no other.</summary>
    public static Requirement<T> Exactly<T>(T value) where T : IComparable<T>, IEquatable<T> => new Requirement<T>.Exactly(value);

    /// <summary>One of these values.</summary>
    public static Requirement<T> OneOf<T>(params ImmutableArray<T> values) where T : IComparable<T>, IEquatable<T> => new Requirement<T>.OneOf(values);

    /// <summary>This value or a greater one.</summary>
    public static Requirement<T> AtLeast<T>(T value) where T : IComparable<T>, IEquatable<T> => new Requirement<T>.AtLeast(value);

    /// <summary>Whatever it is.</summary>
    public static Requirement<T> Any<T>() where T : IComparable<T>, IEquatable<T> => new Requirement<T>.Any();
}
