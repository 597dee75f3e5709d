using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Our commands and computations against tpm2-tools on one TPM, in both directions.</summary>
public sealed class ToolsCrossCheckTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    [SwtpmFact]
    public async Task PCRs_are_those_of_the_tools()
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        tpm.Run("tpm2_pcrextend", $"4:sha256={new string('a', 64)}", $"9:sha384={new string('b', 96)}");
        await device.ExtendAsync(7, TpmAlgorithm.Sha256, SHA256.HashData("ours"u8), None);
        await device.ExtendAsync(16, TpmAlgorithm.Sha512, SHA512.HashData("ours"u8), None);
        foreach ((TpmAlgorithm bank, string name) in new[] { (TpmAlgorithm.Sha256, "sha256"), (TpmAlgorithm.Sha384, "sha384"), (TpmAlgorithm.Sha512, "sha512") })
        {
            tpm.Run("tpm2_pcrread", $"{name}:all", "-o", "pcrs");
            ImmutableArray<TpmPcrValue> ours = await device.ReadPcrsAsync(TpmPcrPolicy.SelectionOf(bank, Enumerable.Range(0, 24)), None);
            Assert.Equal(Enumerable.Range(0, 24), ours.Select(pcr => pcr.Index));
            Assert.Equal(tpm.Read("pcrs"), ours.SelectMany(pcr => pcr.Value.ToArray()).ToArray());
        }
        await device.ResetAsync(16, None);
        Assert.Equal(new byte[64], Assert.Single(await device.ReadPcrsAsync(TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha512, [16]), None)).Value.ToArray());
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.ResetAsync(4, None));
        Assert.Equal((PlatformError.TpmRefused, 0x907u), (refused.Error, refused.TpmCode));
    }

    [SwtpmFact]
    public async Task The_tools_accept_our_quote()
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(11, TpmAlgorithm.Sha256, SHA256.HashData("image"u8), None);
        TpmReport report = await device.QuoteAsync(Secret, TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0, 4, 11, 15]), None);
        Assert.Equal([0, 4, 11, 15], report.Pcrs.Select(pcr => pcr.Index));
        tpm.Write("quote", report.Attest.Span);
        tpm.Write("signature", report.Signature.Span);
        tpm.Write("ak.pub", Sized(report.Key.Span));
        Assert.True(tpm.Try("tpm2_checkquote", "-u", "ak.pub", "-m", "quote", "-s", "signature", "-q", Convert.ToHexString(Secret), "-g", "sha256"), "refused");
        Assert.False(tpm.Try("tpm2_checkquote", "-u", "ak.pub", "-m", "quote", "-s", "signature", "-q", Convert.ToHexString(new byte[32]), "-g", "sha256"), "another nonce");
    }

    [SwtpmTheory]
    [InlineData("ecc", "ecdsa")]
    [InlineData("rsa", "rsapss")]
    public async Task Our_verifier_accepts_the_quote_of_the_tools_over_PCRs_that_we_read(string algorithm, string scheme)
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        tpm.Run("tpm2_createek", "-c", "ek.ctx", "-G", "rsa", "-u", "ek.pub");
        tpm.Run("tpm2_flushcontext", "-t");
        tpm.Run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", algorithm, "-g", "sha256", "-s", scheme);
        tpm.Run("tpm2_flushcontext", "-t");
        tpm.Run("tpm2_readpublic", "-c", "ak.ctx", "-f", "tpmt", "-o", "ak");
        tpm.Run("tpm2_flushcontext", "-t");
        tpm.Run("tpm2_quote", "-c", "ak.ctx", "-l", "sha256:0,7,11", "-q", Convert.ToHexString(Secret), "-m", "quote", "-s", "signature", "-g", "sha256", "--scheme", scheme);
        ImmutableArray<TpmPcrValue> pcrs = await device.ReadPcrsAsync(TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0, 7, 11]), None);
        var report = new TpmReport(tpm.Read("quote"), tpm.Read("signature"), TpmKeyForm.TpmPublic, tpm.Read("ak"), pcrs);
        Proof proof = new TpmVerifier().Prove(new Evidence(TeeKind.Tpm, report.Encode(), default, default, []), Secret, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck);
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    [SwtpmFact]
    public async Task Credentials_are_activated_in_both_directions()
    {
        using var tpm = new Swtpm(certified: true);
        using var device = new TpmDevice(tpm.Address);
        TpmEndorsement endorsement = await device.EndorsementAsync(None);
        TpmPublic endorsementKey = TpmLayout.ParsePublic(endorsement.EndorsementKey).Value, attestationKey = TpmLayout.ParsePublic(endorsement.AttestationKey).Value;

        // Theirs, ours.
        tpm.Write("ek.pub", Sized(endorsement.EndorsementKey.Span));
        tpm.Write("secret", Secret);
        tpm.Run("tpm2_makecredential", "-T", "none", "-u", "ek.pub", "-s", "secret", "-n", Convert.ToHexString(attestationKey.Name.Span), "-o", "made");
        Assert.Equal(Secret, await device.ActivateAsync(FromToolsFile(tpm.Read("made")), None));

        // Ours, theirs: with a key of theirs below the same endorsement key.
        tpm.Run("tpm2_createak", "-C", "0x81010001", "-c", "ak.ctx", "-G", "ecc", "-g", "sha256", "-s", "ecdsa", "-n", "ak.name");
        tpm.Run("tpm2_flushcontext", "-t");
        tpm.Write("made", TpmCredential.Make(endorsementKey, tpm.Read("ak.name"), Secret).ToToolsFile());
        tpm.Run("tpm2_startauthsession", "--policy-session", "-S", "session");
        tpm.Run("tpm2_policysecret", "-S", "session", "-c", "e");
        tpm.Run("tpm2_activatecredential", "-c", "ak.ctx", "-C", "0x81010001", "-i", "made", "-o", "opened", "-P", "session:session");
        tpm.Run("tpm2_flushcontext", "session");
        tpm.Run("tpm2_flushcontext", "-t");
        Assert.Equal(Secret, tpm.Read("opened"));

        // For another name.
        byte[] otherName = [.. attestationKey.Name.Span];
        otherName[^1] ^= 1;
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.ActivateAsync(TpmCredential.Make(endorsementKey, otherName, Secret), None));
        Assert.Equal((PlatformError.TpmCredentialRefused, 0x1DFu), (refused.Error, refused.TpmCode));
        // For another TPM: the seed does not open.
        using var other = new Swtpm(certified: true);
        using var stranger = new TpmDevice(other.Address);
        TpmPublic elsewhere = TpmLayout.ParsePublic((await stranger.EndorsementAsync(None)).EndorsementKey).Value;
        refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.ActivateAsync(TpmCredential.Make(elsewhere, attestationKey.Name.Span, Secret), None));
        Assert.True(refused.Error == PlatformError.TpmCredentialRefused, refused.Message);
        Assert.Equal(Secret, await device.ActivateAsync(TpmCredential.Make(endorsementKey, attestationKey.Name.Span, Secret), None));
    }

    [SwtpmFact]
    public async Task The_offline_policy_is_that_of_the_tools_and_they_open_what_we_seal_and_import()
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(11, TpmAlgorithm.Sha256, SHA256.HashData("image"u8), None);
        tpm.Run("tpm2_createpolicy", "--policy-pcr", "-l", "sha256:4,11", "-L", "policy");
        TpmPcrSelection selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [4, 11]);
        var values = (await device.ReadPcrsAsync(selection, None)).ToImmutableSortedDictionary(pcr => pcr.Index, pcr => pcr.Value);
        Assert.Equal(tpm.Read("policy"), TpmPcrPolicy.Digest(TpmAlgorithm.Sha256, values));

        await device.PersistStorageKeyAsync(None);
        await device.PersistStorageKeyAsync(None);
        tpm.Run("tpm2_readpublic", "-c", "0x81000001", "-f", "tpmt", "-o", "srk");
        Assert.Equal(tpm.Read("srk"), await device.StorageKeyAsync(None));

        // Sealed here by us, opened by them: the TPM's part is the key of the payload.
        TpmSealedSecret ours = await device.SealAsync(selection, Secret, default, None);
        Assert.Equal(Secret, ours.Unwrap(Open(tpm, ours.PublicArea(), ours.Private.Span), default));

        // Sealed from afar by us, imported and opened by them.
        TpmSealedSecret import = TpmSealedSecret.SealFor(TpmLayout.ParsePublic(tpm.Read("srk")).Value, values, Secret);
        tpm.Write("object.pub", Sized(import.PublicArea()));
        tpm.Write("duplicate", Sized(import.Private.Span));
        tpm.Write("seed", Sized(import.EncryptedSeed.Span));
        tpm.Run("tpm2_import", "-C", "0x81000001", "-u", "object.pub", "-i", "duplicate", "-r", "imported", "-s", "seed", "-L", "policy");
        Assert.Equal(Secret, import.Unwrap(Open(tpm, import.PublicArea(), tpm.Read("imported").AsSpan(2)), default));

        await device.EvictAsync(0x81000001, None);
        Assert.False(tpm.Try("tpm2_readpublic", "-c", "0x81000001"));
    }

    [SwtpmFact]
    public async Task We_open_what_the_tools_seal()
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        tpm.Run("tpm2_createpolicy", "--policy-pcr", "-l", "sha256:4,11", "-L", "pcr.policy");
        byte[] storageKey = await device.StorageKeyAsync(None);
        await device.PersistStorageKeyAsync(None);
        tpm.Write("key", Secret);
        tpm.Run("tpm2_create", "-C", "0x81000001", "-i", "key", "-u", "theirs.pub", "-r", "theirs.priv", "-L", "pcr.policy", "-a", "fixedtpm|fixedparent|noda");
        byte[] area = tpm.Read("theirs.pub").AsSpan(2).ToArray();
        var zero = ImmutableSortedDictionary.CreateRange<int, ReadOnlyMemory<byte>>([new(4, new byte[32]), new(11, new byte[32])]);
        byte[] payload = TpmSealedSecret.Wrap(Secret, "told"u8, default);
        var secret = new TpmSealedSecret(false, zero, TpmLayout.ParsePublic(storageKey).Value.Name, area.AsMemory(area.Length - 32), tpm.Read("theirs.priv").AsMemory(2), default, payload);
        Assert.Equal(area, secret.PublicArea());
        Assert.Equal("told"u8.ToArray(), await device.UnsealAsync(TpmSealedSecret.Parse(secret.Encode()), default, None));
    }

    [SwtpmFact]
    public async Task NV_memory_is_read_and_written_in_both_directions()
    {
        const uint index = 0x01500001, counter = 0x01500002;
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        var memory = new TpmNvMemory(device);
        Assert.Null(await memory.FindAsync(index, None));
        PlatformException absent = await Assert.ThrowsAsync<PlatformException>(async () => await memory.ReadAsync(index, default, None));
        Assert.Equal(PlatformError.TpmRefused, absent.Error);

        byte[] content = RandomNumberGenerator.GetBytes(1300), password = "pass"u8.ToArray();
        await memory.DefineAsync(new TpmNvIndex(index, TpmNvAttributes.AuthRead | TpmNvAttributes.AuthWrite | TpmNvAttributes.OwnerRead | TpmNvAttributes.NoDa, content.Length), password, None);
        Assert.Equal(0x14Au, (await Assert.ThrowsAsync<PlatformException>(async () => await memory.ReadAsync(index, password, None))).TpmCode);
        await memory.WriteAsync(index, content, password, None);
        tpm.Run("tpm2_nvread", index.ToString("x", CultureInfo.InvariantCulture).Insert(0, "0x"), "-C", "o", "-o", "nv");
        Assert.Equal(content, tpm.Read("nv"));
        Assert.Equal(TpmResponseCode.BadAuth, TpmResponseCode.Bare((await Assert.ThrowsAsync<PlatformException>(async () => await memory.ReadAsync(index, "wrong"u8.ToArray(), None))).TpmCode!.Value));
        Assert.Equal(0x14Cu, (await Assert.ThrowsAsync<PlatformException>(async () => await memory.DefineAsync(new TpmNvIndex(index, TpmNvAttributes.OwnerRead | TpmNvAttributes.OwnerWrite, 8), default, None))).TpmCode);

        tpm.Write("theirs", "written by the tools"u8);
        tpm.Run("tpm2_nvdefine", "0x1500003", "-C", "o", "-s", "20", "-a", "ownerread|ownerwrite");
        tpm.Run("tpm2_nvwrite", "0x1500003", "-C", "o", "-i", "theirs");
        Assert.Equal("written by the tools"u8.ToArray(), await memory.ReadAsync(0x01500003, default, None));

        await memory.DefineAsync(new TpmNvIndex(counter, TpmNvAttributes.Counter | TpmNvAttributes.OwnerRead | TpmNvAttributes.OwnerWrite | TpmNvAttributes.NoDa, TpmNvMemory.CounterSize), default, None);
        ulong first = await memory.IncrementAsync(counter, default, None);
        tpm.Run("tpm2_nvincrement", "0x1500002", "-C", "o");
        Assert.Equal(first + 2, await memory.IncrementAsync(counter, default, None));
        await memory.UndefineAsync(counter, None);
        Assert.Null(await memory.FindAsync(counter, None));
    }

    [SwtpmFact]
    public async Task Random_bytes_come_from_the_TPM()
    {
        using var tpm = new Swtpm();
        using var device = new TpmDevice(tpm.Address);
        byte[] one = await device.RandomAsync(100, None), other = await device.RandomAsync(100, None);
        Assert.Equal((100, 100), (one.Length, other.Length));
        Assert.NotEqual(one, other);
    }

    private static byte[] Open(Swtpm tpm, byte[] area, ReadOnlySpan<byte> privatePart)
    {
        tpm.Write("load.pub", Sized(area));
        tpm.Write("load.priv", Sized(privatePart));
        tpm.Run("tpm2_load", "-C", "0x81000001", "-u", "load.pub", "-r", "load.priv", "-c", "load.ctx");
        tpm.Run("tpm2_startauthsession", "--policy-session", "-S", "session");
        tpm.Run("tpm2_policypcr", "-S", "session", "-l", "sha256:4,11");
        tpm.Run("tpm2_unseal", "-c", "load.ctx", "-p", "session:session", "-o", "unsealed");
        tpm.Run("tpm2_flushcontext", "session");
        tpm.Run("tpm2_flushcontext", "-t");
        return tpm.Read("unsealed");
    }

    private static byte[] Sized(ReadOnlySpan<byte> content)
    {
        var sized = new byte[2 + content.Length];
        BinaryPrimitives.WriteUInt16BigEndian(sized, (ushort)content.Length);
        content.CopyTo(sized.AsSpan(2));
        return sized;
    }

    private static TpmCredential FromToolsFile(byte[] file)
    {
        const int header = 8;
        int blob = 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(header)), secret = 2 + BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(header + blob));
        return new TpmCredential(file.AsMemory(header, blob), file.AsMemory(header + blob, secret));
    }
}
