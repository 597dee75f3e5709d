using System.Diagnostics.CodeAnalysis;

namespace Cloister.Attestation;

/// <summary>A value, or the numbered reason why hostile input did not give one. The default value is a refusal.</summary>
/// <typeparam name="T">What is accepted.</typeparam>
public readonly record struct Outcome<T>
{
    private readonly T? _value;
    private readonly Refusal _refusal;
    private readonly string? _field, _reason;

    internal Outcome(T value)
    {
        _value = value;
        IsAccepted = true;
    }

    internal Outcome(Refusal refusal, string field, string reason) => (_refusal, _field, _reason) = (refusal, field, reason);

    /// <summary>Whether there is a value.</summary>
    public bool IsAccepted { get; }

    /// <summary>The accepted value.</summary>
    /// <exception cref="InvalidOperationException">It was refused: look at <see cref="IsAccepted"/> first.</exception>
    public T Value => IsAccepted ? _value! : throw new InvalidOperationException($"Refused ({(int)Refusal} {Refusal}): {Field}: {Reason}.");

    /// <summary>Why there is no value; <see cref="Refusal.None"/> if there is.</summary>
    public Refusal Refusal => IsAccepted ? Refusal.None : _refusal == Refusal.None ? Refusal.NoOutcome : _refusal;

    /// <summary>The field that was refused; empty if none was.</summary>
    public string Field => _field ?? "";

    /// <summary>The reason, for people; empty if accepted.</summary>
    public string Reason => _reason ?? "";

    /// <summary>The value, or false.</summary>
    public bool TryGetValue([MaybeNullWhen(false)] out T value)
    {
        value = _value;
        return IsAccepted;
    }

    /// <summary>The same refusal for another type of value.</summary>
    /// <exception cref="InvalidOperationException">It was accepted.</exception>
    public Outcome<TOther> RefuseAs<TOther>() => IsAccepted
        ? throw new InvalidOperationException("An accepted outcome is not a refusal.")
        : new Outcome<TOther>(Refusal, Field, Reason);
}

/// <summary>Makes an <see cref="Outcome{T}"/>.</summary>
public static class Outcome
{
    /// <summary>Accepts a value.</summary>
    public static Outcome<T> Accept<T>(T value) => new(value);

    /// <summary>Refuses, with a number, the field and a reason that a person can act on.</summary>
    /// <exception cref="ArgumentException">The number says "not refused".</exception>
    public static Outcome<T> Refuse<T>(Refusal refusal, string field, string reason) => refusal == Refusal.None
        ? throw new ArgumentException("A refusal needs its number.", nameof(refusal))
        : new(refusal, field, reason);
}
