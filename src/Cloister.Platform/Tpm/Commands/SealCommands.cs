namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_Create (TPM 2.0 Library part 3, 12.1), TPM2_Load (12.2), TPM2_Unseal (12.7), TPM2_Import (13.3) for sealed data.</summary>
internal static class SealCommands
{
    private const uint Create = 0x153, Load = 0x157, Unseal = 0x15E, Import = 0x156;
    private const ushort NoAlgorithm = 0x0010;

    /// <summary>Seals data below a storage key.</summary>
    /// <returns>The content of TPM2B_PRIVATE, and TPMT_PUBLIC.</returns>
    public static async ValueTask<(byte[] Private, byte[] Public)> CreateAsync(
        this TpmChannel channel, TpmObject parent, TpmAuthorisation authorisation, ReadOnlyMemory<byte> data, byte[] template, CancellationToken cancellation)
    {
        const uint noPcrs = 0;
        TpmCommand command = new TpmCommand(Create).UInt32(parent.Handle).Authorise(authorisation)
            .UInt16(2 * sizeof(ushort) + data.Length).Sized([]).Sized(data.Span).Sized(template).Sized([]).UInt32(noPcrs);
        using TpmAnswer answer = await channel.RunAsync(command, cancellation);
        return (answer.Sized().ToArray(), answer.Sized().ToArray());
    }

    /// <summary>Loads an object below its parent.</summary>
    public static async ValueTask<TpmObject> LoadAsync(
        this TpmChannel channel, TpmObject parent, TpmAuthorisation authorisation, ReadOnlyMemory<byte> privatePart, ReadOnlyMemory<byte> publicArea, CancellationToken cancellation)
    {
        (TpmObject loaded, TpmAnswer answer) = await channel.LoadAsync(
            new TpmCommand(Load).UInt32(parent.Handle).Authorise(authorisation).Sized(privatePart.Span).Sized(publicArea.Span), cancellation);
        using (answer)
        {
            answer.Sized();
            answer.End();
            return loaded;
        }
    }

    /// <summary>The sealed data, which the caller zeroes.</summary>
    public static async ValueTask<byte[]> UnsealAsync(this TpmChannel channel, TpmObject sealedData, TpmAuthorisation authorisation, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Unseal).UInt32(sealedData.Handle).Authorise(authorisation), cancellation);
        byte[] data = answer.Sized().ToArray();
        answer.End();
        return data;
    }

    /// <summary>Takes in what was encrypted to the parent's public key elsewhere.</summary>
    /// <returns>The content of TPM2B_PRIVATE, for <see cref="LoadAsync"/>.</returns>
    public static async ValueTask<byte[]> ImportAsync(
        this TpmChannel channel, TpmObject parent, TpmAuthorisation authorisation, ReadOnlyMemory<byte> publicArea, ReadOnlyMemory<byte> duplicate, ReadOnlyMemory<byte> encryptedSeed, CancellationToken cancellation)
    {
        TpmCommand command = new TpmCommand(Import).UInt32(parent.Handle).Authorise(authorisation)
            .Sized([]).Sized(publicArea.Span).Sized(duplicate.Span).Sized(encryptedSeed.Span).UInt16(NoAlgorithm);
        using TpmAnswer answer = await channel.RunAsync(command, cancellation);
        byte[] privatePart = answer.Sized().ToArray();
        answer.End();
        return privatePart;
    }
}
