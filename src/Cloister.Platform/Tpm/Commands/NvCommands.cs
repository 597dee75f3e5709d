using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_NV_ReadPublic, _Read, _DefineSpace, _UndefineSpace, _Write, _Increment (TPM 2.0 Library part 3, 31).</summary>
internal static class NvCommands
{
    private const uint ReadPublic = 0x169, Read = 0x14E, DefineSpace = 0x12A, UndefineSpace = 0x122, Write = 0x137, Increment = 0x134;

    // TPM_PT_NV_BUFFER_MAX is at least this on every TPM that is known.
    private const int Chunk = 512;

    /// <summary>What an index is; null if it is not defined.</summary>
    public static async ValueTask<TpmNvIndex?> ReadNvPublicAsync(this TpmChannel channel, uint index, CancellationToken cancellation)
    {
        try
        {
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(ReadPublic).UInt32(index), cancellation);
            const int fixedPart = 12;
            ReadOnlySpan<byte> area = answer.Sized();
            answer.Sized();
            answer.End();
            return area.Length < fixedPart ? throw TpmAnswer.Invalid("the description of an NV index is cut off") : TpmNvIndex.Read(area, index);
        }
        catch (PlatformException refused) when (refused.TpmCode is { } code && TpmResponseCode.Bare(code) == TpmResponseCode.Handle)
        {
            return null;
        }
    }

    public static async ValueTask<byte[]> ReadNvAsync(this TpmChannel channel, TpmNvIndex index, TpmAuthorisation authorisation, CancellationToken cancellation)
    {
        uint authority = index.AllowsOwnRead ? index.Handle : TpmHandles.Owner;
        var content = new byte[index.Size];
        for (int at = 0; at < content.Length;)
        {
            int some = Math.Min(Chunk, content.Length - at);
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Read).UInt32(authority).UInt32(index.Handle).Authorise(authorisation).UInt16(some).UInt16(at), cancellation);
            ReadOnlySpan<byte> data = answer.Sized();
            answer.End();
            if (data.Length != some) throw TpmAnswer.Invalid("it gives more or less of an NV index than was asked for");
            data.CopyTo(content.AsSpan(at));
            at += some;
        }
        return content;
    }

    public static async ValueTask DefineNvAsync(this TpmChannel channel, TpmNvIndex index, ReadOnlyMemory<byte> value, TpmAuthorisation owner, CancellationToken cancellation)
    {
        const int publicSize = 14;
        TpmCommand command = new TpmCommand(DefineSpace).UInt32(TpmHandles.Owner).Authorise(owner).Sized(value.Span)
            .UInt16(publicSize).UInt32(index.Handle).Algorithm(TpmAlgorithm.Sha256).UInt32((uint)index.Attributes).Sized([]).UInt16(index.Size);
        using TpmAnswer answer = await channel.RunAsync(command, cancellation);
        answer.End();
    }

    public static async ValueTask UndefineNvAsync(this TpmChannel channel, uint index, TpmAuthorisation owner, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(UndefineSpace).UInt32(TpmHandles.Owner).UInt32(index).Authorise(owner), cancellation);
        answer.End();
    }

    public static async ValueTask WriteNvAsync(this TpmChannel channel, TpmNvIndex index, ReadOnlyMemory<byte> content, TpmAuthorisation authorisation, CancellationToken cancellation)
    {
        uint authority = index.AllowsOwnWrite ? index.Handle : TpmHandles.Owner;
        for (int at = 0; at < content.Length || at == 0; at += Chunk)
        {
            int some = Math.Min(Chunk, content.Length - at);
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Write).UInt32(authority).UInt32(index.Handle).Authorise(authorisation).Sized(content.Span.Slice(at, some)).UInt16(at), cancellation);
            answer.End();
        }
    }

    public static async ValueTask IncrementNvAsync(this TpmChannel channel, TpmNvIndex index, TpmAuthorisation authorisation, CancellationToken cancellation)
    {
        uint authority = index.AllowsOwnWrite ? index.Handle : TpmHandles.Owner;
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Increment).UInt32(authority).UInt32(index.Handle).Authorise(authorisation), cancellation);
        answer.End();
    }
}
