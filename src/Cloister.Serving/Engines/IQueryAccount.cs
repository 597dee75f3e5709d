namespace Cloister.Serving.Engines;

/// <summary>On whose account an encrypted query is answered: only its engine can tell how many rows it holds and whose it is.</summary>
internal interface IQueryAccount
{
    /// <summary>Whose queries alone are taken, as the envelope names them; null where the envelope's own key decides.</summary>
    ReadOnlyMemory<byte>? Owner { get; }

    /// <summary>Takes rows out of the caller's budget, before they are computed.</summary>
    /// <param name="rows">All rows of the query.</param>
    /// <param name="paid">How many of them were taken already.</param>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    void ChargeRows(long rows, long paid);
}
