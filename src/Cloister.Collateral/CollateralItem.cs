using Cloister.Attestation;

namespace Cloister.Collateral;

/// <summary>One piece of collateral.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Bytes">What the vendor made, in the form that <see cref="CollateralRequest.EndorsementKind"/> names.</param>
/// <param name="Period">When it is in date by its own words.</param>
/// <param name="IsStale">Whether its period had ended when it was handed out; only sources that were told to serve such give it.</param>
public sealed record CollateralItem(CollateralRequest Request, ReadOnlyMemory<byte> Bytes, CollateralPeriod Period, bool IsStale)
{
    /// <summary>The form in which a verifier takes it.</summary>
    public Endorsement ToEndorsement() => new(Request.EndorsementKind, Bytes);
}

/// <summary>When something is in date, both ends inclusive.</summary>
/// <param name="From">The latest start of its parts: thisUpdate, issueDate, notBefore.</param>
/// <param name="Until">The earliest end of its parts: nextUpdate, notAfter.</param>
public readonly record struct CollateralPeriod(DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>No bound at either end.</summary>
    internal static CollateralPeriod Always => new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);

    /// <summary>Whether it has ended. That it has begun is the verifier's to say: a vendor's clock may run a little ahead.</summary>
    public bool HasEnded(DateTimeOffset now) => now > Until;

    /// <summary>The time that both have in common; may be empty.</summary>
    internal CollateralPeriod And(DateTimeOffset from, DateTimeOffset until) => new(from > From ? from : From, until < Until ? until : Until);
}

/// <summary>What to do with collateral that is out of date where nothing newer is to be had.</summary>
public enum StaleCollateral
{
    /// <summary>Refuse it: <see cref="CollateralError.OutOfDate"/>.</summary>
    Refuse = 0,

    /// <summary>Hand it out, marked <see cref="CollateralItem.IsStale"/>. A verifier still refuses it, unless it is asked about a time in the past.</summary>
    Serve,
}
