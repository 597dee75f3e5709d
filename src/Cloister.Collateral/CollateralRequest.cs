using Cloister.Attestation;

namespace Cloister.Collateral;

/// <summary>What is wanted. The kinds are those of this library; each knows its name in a folder and how to tell an answer to it.</summary>
public abstract record CollateralRequest
{
    private protected CollateralRequest()
    {
    }

    /// <summary>Its path in a folder of collateral, with <c>/</c>; the same request has the same name (docs/formats/collateral-folder.md).</summary>
    public abstract string Name { get; }

    /// <summary>The kind of <see cref="Endorsement"/> that it becomes.</summary>
    public abstract string EndorsementKind { get; }

    /// <summary>Most bytes that an answer may have.</summary>
    internal abstract int MaximumSize { get; }

    /// <summary>Reads an answer: whether it is of the form, speaks of what was asked for, and when it is in date. Signatures are the verifier's.</summary>
    internal abstract Outcome<CollateralPeriod> Check(ReadOnlyMemory<byte> bytes);

    /// <summary>The answer as an item.</summary>
    /// <exception cref="CollateralException"><see cref="CollateralError.Malformed"/>.</exception>
    internal CollateralItem Accept(ReadOnlyMemory<byte> bytes, string origin, TimeProvider time)
    {
        Outcome<CollateralPeriod> read = bytes.Length <= MaximumSize
            ? Check(bytes)
            : Outcome.Refuse<CollateralPeriod>(Refusal.EvidenceTooLarge, "size", $"{bytes.Length} bytes; at most {MaximumSize} are read");
        return read.IsAccepted
            ? new CollateralItem(this, bytes, read.Value, read.Value.HasEnded(time.GetUtcNow()))
            : throw new CollateralException(CollateralError.Malformed, $"{origin} is not {Name}: {read.Field}: {read.Reason}.");
    }

    /// <summary>Passes an item on if it is in date or may be stale.</summary>
    internal static CollateralItem Dated(CollateralItem item, StaleCollateral stale, string origin) => !item.IsStale || stale == StaleCollateral.Serve
        ? item
        : throw new CollateralException(CollateralError.OutOfDate, $"{origin} was in date until {item.Period.Until:u}: fetch {item.Request.Name} again, or check this machine's clock.");
}
