namespace Cloister.Images.Volumes;

/// <summary>
/// Who remembers, outside the host's reach, which commit of a disk counts. The answer of either call is believed, so an implementation
/// has verified who gives it.
/// </summary>
public interface IDiskCounter
{
    /// <summary>The state that counts; <see cref="DiskState.None"/> before the first commit.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskCounter"/>: it could not be asked.</exception>
    Task<DiskState> ReadAsync(CancellationToken cancellation);

    /// <summary>
    /// Replaces <paramref name="expected"/> by <paramref name="next"/>, whose version is one more, if <paramref name="expected"/> is what counts,
    /// and answers what counts then. Asking again changes nothing: where <paramref name="next"/> counts already it is the answer.
    /// </summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskCounter"/>: no answer came, so whether <paramref name="next"/> counts is not known.</exception>
    Task<DiskState> RaiseAsync(DiskState expected, DiskState next, CancellationToken cancellation);
}
