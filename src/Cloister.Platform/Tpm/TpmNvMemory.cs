using Cloister.Platform.Tpm.Commands;

namespace Cloister.Platform.Tpm;

/// <summary>
/// The memory that a TPM keeps without power: indexes of content, and counters that only go up. It has little, and wears out: write
/// seldom. A host that runs a software TPM can put back all of it.
/// </summary>
/// <param name="device">The TPM.</param>
public sealed class TpmNvMemory(TpmDevice device)
{
    /// <summary>Bytes of a counter.</summary>
    public const int CounterSize = 8;

    private const int MaximumSize = 2048;

    /// <summary>What an index is; null if it is not defined.</summary>
    /// <param name="index">0x01xxxxxx.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<TpmNvIndex?> FindAsync(uint index, CancellationToken cancellation)
    {
        Require(index);
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        return await channel.ReadNvPublicAsync(index, cancellation);
    }

    /// <summary>Defines an index, in the owner's hierarchy.</summary>
    /// <param name="index">Its handle, what is allowed, its size; a counter has <see cref="CounterSize"/> bytes.</param>
    /// <param name="authorisation">Its own authorisation value, at most 32 bytes; stays the caller's to zero.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PlatformException">There is one (TPM_RC_NV_DEFINED), no room, or the TPM cannot be used.</exception>
    public async ValueTask DefineAsync(TpmNvIndex index, ReadOnlyMemory<byte> authorisation, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(index);
        Require(index.Handle);
        if (index.Size is < 1 or > MaximumSize) throw new ArgumentException($"An index has 1 to {MaximumSize} bytes.", nameof(index));
        if (authorisation.Length > 32) throw new ArgumentException("An authorisation value has at most 32 bytes.", nameof(authorisation));
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        await channel.DefineNvAsync(index, authorisation, TpmAuthorisation.Empty, cancellation);
    }

    /// <summary>Removes an index.</summary>
    /// <param name="index">0x01xxxxxx.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask UndefineAsync(uint index, CancellationToken cancellation)
    {
        Require(index);
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        await channel.UndefineNvAsync(index, TpmAuthorisation.Empty, cancellation);
    }

    /// <summary>Reads an index whole; a counter big-endian.</summary>
    /// <param name="index">0x01xxxxxx.</param>
    /// <param name="authorisation">Its own authorisation value where that reads it; else the owner's.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PlatformException">It is not defined, never written, not open to this authorisation, or the TPM cannot be used.</exception>
    public async ValueTask<byte[]> ReadAsync(uint index, ReadOnlyMemory<byte> authorisation, CancellationToken cancellation)
    {
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        return await channel.ReadNvAsync(await DefinedAsync(channel, index, cancellation), TpmAuthorisation.Password(authorisation), cancellation);
    }

    /// <summary>Writes an index from its start.</summary>
    /// <param name="index">0x01xxxxxx.</param>
    /// <param name="content">At most its size.</param>
    /// <param name="authorisation">As for <see cref="ReadAsync"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask WriteAsync(uint index, ReadOnlyMemory<byte> content, ReadOnlyMemory<byte> authorisation, CancellationToken cancellation)
    {
        if (content.IsEmpty) throw new ArgumentException("There is nothing to write.", nameof(content));
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        TpmNvIndex defined = await DefinedAsync(channel, index, cancellation);
        if (content.Length > defined.Size) throw new ArgumentException($"The index has {defined.Size} bytes.", nameof(content));
        await channel.WriteNvAsync(defined, content, TpmAuthorisation.Password(authorisation), cancellation);
    }

    /// <summary>Counts up, and returns the new number.</summary>
    /// <param name="index">A counter.</param>
    /// <param name="authorisation">As for <see cref="ReadAsync"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<ulong> IncrementAsync(uint index, ReadOnlyMemory<byte> authorisation, CancellationToken cancellation)
    {
        await using TpmChannel channel = await device.Transport.OpenAsync(cancellation);
        TpmNvIndex defined = await DefinedAsync(channel, index, cancellation);
        var own = TpmAuthorisation.Password(authorisation);
        await channel.IncrementNvAsync(defined, own, cancellation);
        byte[] content = await channel.ReadNvAsync(defined, own, cancellation);
        return content.Length == CounterSize ? System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(content) : throw TpmAnswer.Invalid("a counter that has not 8 bytes");
    }

    private static async ValueTask<TpmNvIndex> DefinedAsync(TpmChannel channel, uint index, CancellationToken cancellation)
    {
        Require(index);
        return await channel.ReadNvPublicAsync(index, cancellation)
            ?? throw new PlatformException(PlatformError.TpmRefused, $"The TPM has no NV index 0x{index:x8}. Define it first.");
    }

    private static void Require(uint index)
    {
        if (!TpmHandles.IsNvIndex(index)) throw new ArgumentOutOfRangeException(nameof(index), index, "An NV index is 0x01xxxxxx.");
    }
}
