namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_CreatePrimary (TPM 2.0 Library part 3, 24.1), TPM2_ReadPublic (12.4).</summary>
internal static class KeyCommands
{
    private const uint CreatePrimary = 0x131, ReadPublic = 0x173;

    /// <summary>Makes a hierarchy's primary key, which is the same each time for the same template.</summary>
    /// <param name="channel">The TPM.</param>
    /// <param name="hierarchy">The hierarchy's handle.</param>
    /// <param name="authorisation">The hierarchy's.</param>
    /// <param name="template">TPMT_PUBLIC.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The key, and its TPMT_PUBLIC.</returns>
    public static async ValueTask<(TpmObject Key, byte[] Public)> CreatePrimaryAsync(
        this TpmChannel channel, uint hierarchy, TpmAuthorisation authorisation, byte[] template, CancellationToken cancellation)
    {
        const int emptySensitive = 4, noPcrs = 0; // two empty TPM2Bs
        TpmCommand command = new TpmCommand(CreatePrimary).UInt32(hierarchy).Authorise(authorisation)
            .UInt16(emptySensitive).Sized([]).Sized([]).Sized(template).Sized([]).UInt32(noPcrs);
        (TpmObject key, TpmAnswer answer) = await channel.LoadAsync(command, cancellation);
        using (answer)
            return (key, answer.Sized().ToArray());
    }

    /// <summary>The TPMT_PUBLIC of a key; null if nothing has this handle.</summary>
    public static async ValueTask<byte[]?> ReadPublicAsync(this TpmChannel channel, uint handle, CancellationToken cancellation)
    {
        try
        {
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(ReadPublic).UInt32(handle), cancellation);
            byte[] area = answer.Sized().ToArray();
            answer.Sized();
            answer.Sized();
            answer.End();
            return area;
        }
        catch (PlatformException refused) when (refused.TpmCode is { } code && TpmResponseCode.Bare(code) == TpmResponseCode.Handle)
        {
            return null;
        }
    }
}
