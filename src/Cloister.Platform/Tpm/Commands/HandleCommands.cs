using System.Collections.Immutable;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_FlushContext (TPM 2.0 Library part 3, 28.4), TPM2_EvictControl (28.5), TPM2_GetCapability (30.2) for handles.</summary>
internal static class HandleCommands
{
    private const uint FlushContext = 0x165, EvictControl = 0x120, GetCapability = 0x17A, HandlesCapability = 1, AtMost = 64;

    /// <summary>The command that flushes an object or session.</summary>
    public static TpmCommand Flush(uint handle) => new TpmCommand(FlushContext).UInt32(handle);

    /// <summary>Makes a loaded key persistent, or evicts a persistent one (both handles the same).</summary>
    public static async ValueTask EvictControlAsync(this TpmChannel channel, TpmAuthorisation owner, uint handle, uint persistent, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(EvictControl).UInt32(TpmHandles.Owner).UInt32(handle).Authorise(owner).UInt32(persistent), cancellation);
        answer.End();
    }

    /// <summary>Handles of one kind, the kind's first one and up, at most 64.</summary>
    public static async ValueTask<ImmutableArray<uint>> HandlesAsync(this TpmChannel channel, uint first, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(GetCapability).UInt32(HandlesCapability).UInt32(first).UInt32(AtMost), cancellation);
        _ = answer.Byte(); // whether there are more
        if (answer.UInt32() != HandlesCapability) throw TpmAnswer.Invalid("another capability than was asked for");
        uint count = answer.UInt32();
        if (count > AtMost) throw TpmAnswer.Invalid("more handles than were asked for");
        var handles = ImmutableArray.CreateBuilder<uint>((int)count);
        for (uint i = 0; i < count; i++)
            handles.Add(answer.UInt32());
        answer.End();
        return handles.MoveToImmutable();
    }
}
