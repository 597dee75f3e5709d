using System.Collections.Immutable;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm.Commands;

namespace Cloister.Platform.Tpm;

/// <summary>
/// A TPM 2.0. Each call takes it for as long as it needs, loads what it needs, and flushes it. Keys are made from fixed templates, so
/// nothing is kept between calls or on disk. Thread-safe.
/// </summary>
/// <remarks>
/// Hierarchies must have their empty authorisation, as they have unless somebody took ownership. Commands and answers are not encrypted
/// on their way: whoever runs a software TPM, or taps a chip's bus, sees what is unsealed.
/// </remarks>
public sealed class TpmDevice : IDisposable
{
    private const int PcrTries = 20;

    /// <summary>A TPM; nothing is opened yet.</summary>
    /// <param name="where"><c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or <c>swtpm:/path/to/server.sock</c>.</param>
    /// <param name="time">Where waiting comes from; the system's by default.</param>
    /// <exception cref="PlatformException"><see cref="PlatformError.TpmAddressInvalid"/>.</exception>
    public TpmDevice(string where, TimeProvider? time = null) => Transport = TpmTransport.To(where, time);

    internal TpmTransport Transport { get; }

    /// <summary>Starts a TPM whose firmware does not: a software TPM. One that was started stays as it is.</summary>
    public async ValueTask StartAsync(CancellationToken cancellation)
    {
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        await channel.StartAsync(cancellation);
    }

    /// <summary>Random bytes of the TPM's own generator.</summary>
    /// <param name="count">1 to 4096.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<byte[]> RandomAsync(int count, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, TpmCommand.MaximumSize);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        return await channel.RandomAsync(count, cancellation);
    }

    /// <summary>Reads PCRs, ascending. Those that the TPM does not have are absent; all are if the bank is not active.</summary>
    /// <param name="selection">Which; <see cref="TpmPcrPolicy.SelectionOf"/> makes one.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<ImmutableArray<TpmPcrValue>> ReadPcrsAsync(TpmPcrSelection selection, CancellationToken cancellation)
    {
        RequireBank(selection.Bank);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        return await channel.ReadPcrsAsync(selection, cancellation);
    }

    /// <summary>Extends a PCR: new value = H(old value ‖ digest).</summary>
    /// <param name="pcr">0 to 23.</param>
    /// <param name="bank">The bank; others of the same PCR stay as they are.</param>
    /// <param name="digest">A digest of the bank's size.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask ExtendAsync(int pcr, TpmAlgorithm bank, ReadOnlyMemory<byte> digest, CancellationToken cancellation)
    {
        RequirePcr(pcr);
        RequireBank(bank);
        if (digest.Length != PcrCommands.BankSize(bank)) throw new ArgumentException($"A digest of this bank has {PcrCommands.BankSize(bank)} bytes.", nameof(digest));
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        await channel.ExtendAsync(pcr, bank, digest, cancellation);
    }

    /// <summary>Resets a PCR that software may reset: 16 and 23.</summary>
    /// <param name="pcr">0 to 23.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask ResetAsync(int pcr, CancellationToken cancellation)
    {
        RequirePcr(pcr);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        await channel.ResetAsync(pcr, cancellation);
    }

    /// <summary>Quotes PCRs with the attestation key. The values are those that were signed: should one move between, it quotes again.</summary>
    /// <param name="nonce">The verifier's nonce, 1 to 64 bytes.</param>
    /// <param name="selection">The PCRs; those that the TPM does not have are left out.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PlatformException">The bank is not active (<see cref="PlatformError.TpmBankAbsent"/>), a PCR keeps moving, or the TPM cannot be used.</exception>
    public async ValueTask<TpmReport> QuoteAsync(ReadOnlyMemory<byte> nonce, TpmPcrSelection selection, CancellationToken cancellation)
    {
        if (nonce.Length is 0 or > 64) throw new ArgumentException("A nonce has 1 to 64 bytes.", nameof(nonce));
        RequireBank(selection.Bank);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        (TpmObject key, byte[] area) = await channel.CreatePrimaryAsync(TpmHandles.Endorsement, TpmAuthorisation.Empty, TpmTemplates.AttestationKey, cancellation);
        for (int i = 0; i < PcrTries; i++)
        {
            ImmutableArray<TpmPcrValue> values = await channel.ReadPcrsAsync(selection, cancellation);
            if (values.IsEmpty) throw BankAbsent(selection.Bank);
            TpmPcrSelection present = TpmPcrPolicy.SelectionOf(selection.Bank, values.Select(pcr => pcr.Index));
            (byte[] attest, byte[] signature) = await channel.QuoteAsync(key, nonce, present, cancellation);
            if (!TpmLayout.ParseAttest(attest).TryGetValue(out TpmAttest? signed) || !signed.ExtraData.Span.SequenceEqual(nonce.Span) || !signed.Selection.SequenceEqual([present]))
                throw TpmAnswer.Invalid("its quote is not over what it was asked for");
            if (signed.PcrDigest.Span.SequenceEqual(DigestOf(values)))
                return new TpmReport(attest, signature, TpmKeyForm.TpmPublic, area, values);
        }
        throw new PlatformException(PlatformError.TpmPcrMoved, $"A PCR of the TPM at {Transport.Address} was extended before each of {PcrTries} quotes. Find what extends it without end, or quote other PCRs.");
    }

    /// <summary>The attestation and endorsement keys with their certificates: what a verifier needs for <see cref="TpmActivation"/>.</summary>
    /// <exception cref="PlatformException">The TPM holds no certificate of its endorsement key (<see cref="PlatformError.TpmEndorsementAbsent"/>), or cannot be used.</exception>
    public async ValueTask<TpmEndorsement> EndorsementAsync(CancellationToken cancellation) => await FindEndorsementAsync(cancellation)
        ?? throw new PlatformException(PlatformError.TpmEndorsementAbsent, $"The TPM at {Transport.Address} holds no certificate of its endorsement key, so nothing says whose it is. A software TPM gets one from `swtpm_setup --create-ek-cert`; a policy can name the attestation key instead.");

    /// <summary>Opens a credential that was made for this TPM's endorsement key and attestation key.</summary>
    /// <returns>The secret, which the caller zeroes.</returns>
    /// <exception cref="PlatformException">It was made for other keys (<see cref="PlatformError.TpmCredentialRefused"/>), or the TPM cannot be used.</exception>
    public async ValueTask<byte[]> ActivateAsync(TpmCredential credential, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(credential);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        (TpmObject key, _) = await channel.CreatePrimaryAsync(TpmHandles.Endorsement, TpmAuthorisation.Empty, TpmTemplates.AttestationKey, cancellation);
        LoadedEndorsementKey endorsement = await channel.LoadEndorsementKeyAsync(cancellation);
        TpmAuthorisation authorisation = await endorsement.AuthoriseAsync(channel, cancellation);
        try
        {
            return await channel.ActivateAsync(key, endorsement.Key, authorisation, credential, cancellation);
        }
        catch (PlatformException refused) when (refused.TpmCode is { } code && TpmResponseCode.Bare(code) is TpmResponseCode.Integrity or TpmResponseCode.Value or TpmResponseCode.Size or TpmResponseCode.EccPoint or TpmResponseCode.Failure)
        {
            // Failure mode would have shown before: software TPMs say TPM_RC_FAILURE of an RSA secret that does not decrypt.
            throw new PlatformException(PlatformError.TpmCredentialRefused, $"The credential is not for this TPM's attestation key and endorsement key, or it was changed. {refused.Message}", refused) { TpmCode = code };
        }
    }

    /// <summary>The public area of the storage root key (TPMT_PUBLIC): what others seal to. The same until the TPM is cleared.</summary>
    public async ValueTask<byte[]> StorageKeyAsync(CancellationToken cancellation)
    {
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        return (await channel.CreatePrimaryAsync(TpmHandles.Owner, TpmAuthorisation.Empty, TpmTemplates.StorageKey, cancellation)).Public;
    }

    /// <summary>Seals a secret to this TPM and to PCRs of the SHA-256 bank as they are now.</summary>
    /// <param name="selection">The PCRs.</param>
    /// <param name="secret">1 byte to 1 MiB; stays the caller's to zero.</param>
    /// <param name="associatedData">What it belongs to; opening needs the same bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<TpmSealedSecret> SealAsync(TpmPcrSelection selection, ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        if (selection.Bank != TpmAlgorithm.Sha256 || selection.Mask == 0 || selection.Mask >> TpmLayout.PcrCount != 0) throw new ArgumentException("Name PCRs of the SHA-256 bank.", nameof(selection));
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        return await channel.SealAsync(selection, secret, associatedData, cancellation);
    }

    /// <summary>Opens a secret: one that this TPM sealed, or one that was sealed to its storage or endorsement key elsewhere.</summary>
    /// <returns>The secret, which the caller zeroes.</returns>
    /// <exception cref="PlatformException">The PCRs are others (<see cref="PlatformError.TpmPolicyRefused"/>, with those that differ), it is another TPM's (<see cref="PlatformError.TpmSealedElsewhere"/>), it was changed (<see cref="PlatformError.TpmSealedInvalid"/>), or the TPM cannot be used.</exception>
    public async ValueTask<byte[]> UnsealAsync(TpmSealedSecret secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(secret);
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        return await channel.OpenAsync(secret, associatedData, cancellation);
    }

    /// <summary>Keeps the storage root key in the TPM at the handle where other programs look for it (0x81000001), unless something is there.</summary>
    public async ValueTask PersistStorageKeyAsync(CancellationToken cancellation)
    {
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        if (await channel.ReadPublicAsync(TpmHandles.StorageKey, cancellation) is not null) return;
        (TpmObject key, _) = await channel.CreatePrimaryAsync(TpmHandles.Owner, TpmAuthorisation.Empty, TpmTemplates.StorageKey, cancellation);
        await channel.EvictControlAsync(TpmAuthorisation.Empty, key.Handle, TpmHandles.StorageKey, cancellation);
    }

    /// <summary>Frees a persistent handle.</summary>
    /// <param name="handle">0x81xxxxxx.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask EvictAsync(uint handle, CancellationToken cancellation)
    {
        if (!TpmHandles.IsPersistent(handle)) throw new ArgumentOutOfRangeException(nameof(handle), handle, "A persistent handle is 0x81xxxxxx.");
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        await channel.EvictControlAsync(TpmAuthorisation.Empty, handle, handle, cancellation);
    }

    internal async ValueTask<TpmEndorsement?> FindEndorsementAsync(CancellationToken cancellation)
    {
        await using TpmChannel channel = await Transport.OpenAsync(cancellation);
        (_, byte[] attestationKey) = await channel.CreatePrimaryAsync(TpmHandles.Endorsement, TpmAuthorisation.Empty, TpmTemplates.AttestationKey, cancellation);
        LoadedEndorsementKey endorsement = await channel.LoadEndorsementKeyAsync(cancellation);
        return endorsement.Certificate is { } certificate
            ? new TpmEndorsement(certificate, await channel.ReadChainAsync(cancellation), endorsement.Public, attestationKey)
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => Transport.Dispose();

    internal static PlatformException BankAbsent(TpmAlgorithm bank) =>
        new(PlatformError.TpmBankAbsent, $"The TPM keeps no {bank} PCRs. Activate that bank in the firmware's setup; a software TPM's with `swtpm_setup --pcr-banks sha256`.");

    private static byte[] DigestOf(ImmutableArray<TpmPcrValue> values)
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        foreach (TpmPcrValue one in values)
            hash.AppendData(one.Value.Span);
        return hash.GetHashAndReset();
    }

    private static void RequireBank(TpmAlgorithm bank)
    {
        if (PcrCommands.BankSize(bank) == 0) throw new ArgumentException($"{bank} is not a bank of PCRs.", nameof(bank));
    }

    private static void RequirePcr(int pcr)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pcr);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(pcr, TpmLayout.PcrCount);
    }
}
