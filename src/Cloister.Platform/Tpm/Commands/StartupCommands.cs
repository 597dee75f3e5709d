namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_Startup (TPM 2.0 Library part 3, 9.3) and TPM2_GetRandom (16.1).</summary>
internal static class StartupCommands
{
    private const uint Startup = 0x144, GetRandom = 0x17B;
    private const int Clear = 0;

    /// <summary>Starts a TPM after power on. Returns false if it was started before.</summary>
    public static async ValueTask<bool> StartAsync(this TpmChannel channel, CancellationToken cancellation)
    {
        try
        {
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Startup).UInt16(Clear), cancellation);
            answer.End();
            return true;
        }
        catch (PlatformException refused) when (refused.TpmCode == TpmResponseCode.Initialize)
        {
            return false; // here TPM_RC_INITIALIZE says that it is started already
        }
    }

    /// <summary>Random bytes of the TPM's generator.</summary>
    public static async ValueTask<byte[]> RandomAsync(this TpmChannel channel, int count, CancellationToken cancellation)
    {
        var random = new byte[count];
        for (int at = 0; at < count;)
        {
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(GetRandom).UInt16(Math.Min(count - at, 32)), cancellation);
            ReadOnlySpan<byte> some = answer.Sized();
            answer.End();
            if (some.Length == 0 || some.Length > count - at) throw TpmAnswer.Invalid("it gives no random bytes, or more than asked for");
            some.CopyTo(random.AsSpan(at));
            at += some.Length;
        }
        return random;
    }
}
