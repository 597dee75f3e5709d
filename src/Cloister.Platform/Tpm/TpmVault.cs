using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm.Commands;

namespace Cloister.Platform.Tpm;

/// <summary>Seals and opens secrets in a TPM that is in hand.</summary>
internal static class TpmVault
{
    public static async ValueTask<(TpmObject Key, TpmPublic Public)> LoadStorageKeyAsync(this TpmChannel channel, CancellationToken cancellation)
    {
        (TpmObject key, byte[] area) = await channel.CreatePrimaryAsync(TpmHandles.Owner, TpmAuthorisation.Empty, TpmTemplates.StorageKey, cancellation);
        return (key, PublicOf(area));
    }

    /// <summary>Seals a secret to the PCRs as they are.</summary>
    public static async ValueTask<TpmSealedSecret> SealAsync(
        this TpmChannel channel, TpmPcrSelection selection, ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        ImmutableArray<TpmPcrValue> values = await channel.ReadPcrsAsync(selection, cancellation);
        if (values.Length != selection.Count) throw TpmDevice.BankAbsent(selection.Bank);
        var pcrs = values.ToImmutableSortedDictionary(pcr => pcr.Index, pcr => pcr.Value);
        (TpmObject parent, TpmPublic area) = await channel.LoadStorageKeyAsync(cancellation);
        byte[] key = RandomNumberGenerator.GetBytes(TpmSealedSecret.KeySize);
        try
        {
            byte[] template = TpmTemplates.SealedData(TpmPcrPolicy.Digest(selection.Bank, pcrs), default, isImport: false);
            (byte[] privatePart, byte[] publicArea) = await channel.CreateAsync(parent, TpmAuthorisation.Empty, key, template, cancellation);
            if (publicArea.Length < SHA256.HashSizeInBytes) throw TpmAnswer.Invalid("what it sealed has no public area");
            var made = new TpmSealedSecret(false, pcrs, area.Name, publicArea.AsMemory(publicArea.Length - SHA256.HashSizeInBytes), privatePart, default, TpmSealedSecret.Wrap(key, secret.Span, associatedData.Span));
            return made.PublicArea().AsSpan().SequenceEqual(publicArea) ? made : throw TpmAnswer.Invalid("it sealed under another policy than it was told to");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Opens a secret.</summary>
    /// <exception cref="PlatformException">Sealed to another TPM, changed, or the PCRs are others.</exception>
    public static async ValueTask<byte[]> OpenAsync(this TpmChannel channel, TpmSealedSecret secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation)
    {
        (TpmObject parent, LoadedEndorsementKey? endorsement) = await channel.FindParentAsync(secret.Parent, cancellation);
        byte[] key = [];
        try
        {
            await using TpmObject loaded = await channel.LoadSealedAsync(secret, parent, endorsement, cancellation);
            await using TpmObject session = await channel.StartPolicyAsync(cancellation);
            await channel.PolicyPcrAsync(session, secret.Selection, cancellation);
            key = await channel.UnsealAsync(loaded, TpmAuthorisation.Policy(session), cancellation);
            return secret.Unwrap(key, associatedData.Span);
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.TpmPolicyRefused)
        {
            throw await channel.ExplainAsync(secret, refused, cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The storage or endorsement key of a name.</summary>
    private static async ValueTask<(TpmObject Parent, LoadedEndorsementKey? Endorsement)> FindParentAsync(this TpmChannel channel, ReadOnlyMemory<byte> name, CancellationToken cancellation)
    {
        (TpmObject storage, TpmPublic area) = await channel.LoadStorageKeyAsync(cancellation);
        if (area.Name.Span.SequenceEqual(name.Span)) return (storage, null);
        await storage.DisposeAsync();
        LoadedEndorsementKey endorsement = await channel.LoadEndorsementKeyAsync(cancellation);
        return PublicOf(endorsement.Public).Name.Span.SequenceEqual(name.Span)
            ? (endorsement.Key, endorsement)
            : throw new PlatformException(PlatformError.TpmSealedElsewhere, $"The secret was sealed to the TPM key {Convert.ToHexStringLower(name.Span)}, and this TPM has none of that name: it is another machine's, or the TPM was cleared. Seal it again to this one.");
    }

    private static async ValueTask<TpmObject> LoadSealedAsync(this TpmChannel channel, TpmSealedSecret secret, TpmObject parent, LoadedEndorsementKey? endorsement, CancellationToken cancellation)
    {
        byte[] area = secret.PublicArea();
        try
        {
            ReadOnlyMemory<byte> privatePart = secret.IsImport
                ? await channel.ImportAsync(parent, await AuthoriseAsync(), area, secret.Private, secret.EncryptedSeed, cancellation)
                : secret.Private;
            return await channel.LoadAsync(parent, await AuthoriseAsync(), privatePart, area, cancellation);
        }
        catch (PlatformException refused) when (refused.Error == PlatformError.TpmRefused)
        {
            throw TpmSealedSecret.Invalid($"the TPM does not take it. {refused.Message.TrimEnd('.')}", refused);
        }

        // A policy session authorises once.
        ValueTask<TpmAuthorisation> AuthoriseAsync() => endorsement?.AuthoriseAsync(channel, cancellation) ?? ValueTask.FromResult(TpmAuthorisation.Empty);
    }

    private static async ValueTask<PlatformException> ExplainAsync(this TpmChannel channel, TpmSealedSecret secret, PlatformException refused, CancellationToken cancellation)
    {
        ImmutableArray<TpmPcrValue> now = await channel.ReadPcrsAsync(secret.Selection, cancellation);
        string[] others = [.. secret.Pcrs.Where(pcr => !now.Any(one => one.Index == pcr.Key && one.Value.Span.SequenceEqual(pcr.Value.Span))).Select(pcr => $"PCR {pcr.Key} ({TpmPcrMeaning.Of(pcr.Key)})")];
        string what = others.Length == 0 ? "a PCR moved while it was opened" : $"another value than it was sealed to has {string.Join(", ", others)}";
        return new PlatformException(PlatformError.TpmPolicyRefused,
            $"The machine is not in the state that the secret is sealed to: {what}. Boot the image it was sealed to, or seal it again to this one's measurements. ({TpmResponseCode.Describe(refused.TpmCode ?? TpmResponseCode.PolicyFail)})", refused) { TpmCode = refused.TpmCode };
    }

    private static TpmPublic PublicOf(byte[] area) => TpmLayout.ParsePublic(area).TryGetValue(out TpmPublic? key) ? key : throw TpmAnswer.Invalid("the public area of its key cannot be read");
}
