using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Recovery;

public sealed class RecoverySetupTests
{
    private static readonly RecoveryHolder First = new("a", [1, 2], SHA256.HashData("a"u8)), Second = new("b", [3], SHA256.HashData("b"u8)), Third = new("ü", [4], SHA256.HashData("c"u8));

    [Fact]
    public void Any_threshold_of_holders_makes_the_key_and_fewer_or_others_do_not()
    {
        foreach ((int count, int threshold) in new[] { (1, 0), (2, 0), (3, 3), (3, 2), (4, 3) })
        {
            using var holders = new Holders(count);
            using RecoverySetup setup = RecoverySetup.Prepare(null, Document(holders, threshold));
            CoordinatorSnapshot applied = setup.Apply(Snapshot());
            byte[] key = applied.NewDataKey!.Span.ToArray();
            int needed = threshold == 0 ? count : threshold;
            Assert.Equal((count, needed), (applied.Recovery!.Holders.Length, applied.Recovery.Threshold));
            byte[][] secrets = [.. Enumerable.Range(0, count).Select(i => holders.Key(i).Decrypt(setup.Secrets[Holders.Name(i)], RSAEncryptionPadding.OaepSHA256))];
            for (int chosen = 0; chosen < 1 << count; chosen++)
            {
                using var collection = new RecoveryCollection(applied.Recovery);
                int[] given = [.. Enumerable.Range(0, count).Where(i => (chosen >> i & 1) == 1).Take(needed)];
                foreach (int holder in given)
                    Assert.True(collection.Add(secrets[holder], holders.Sign(holder, secrets[holder])));
                Assert.Equal(needed - given.Length, collection.Remaining);
                if (given.Length < needed)
                    Assert.Empty(collection.Candidates());
                else
                    Assert.Equal(key, Assert.Single(collection.Candidates()).Key.Span);
            }
        }
    }

    [Fact]
    public void Only_other_keys_or_another_threshold_need_a_new_data_key()
    {
        using var holders = new Holders(3);
        using var others = new Holders(3);
        ManifestDocument none = Document(null, 0), two = Document(holders, 2), all = Document(holders, 0), other = Document(others, 2);
        Assert.False(RecoverySetup.IsNeeded(null, none));
        Assert.True(RecoverySetup.IsNeeded(null, two));
        Assert.False(RecoverySetup.IsNeeded(two, Document(holders, 2)));
        Assert.True(RecoverySetup.IsNeeded(two, all));
        Assert.True(RecoverySetup.IsNeeded(two, other));
        Assert.True(RecoverySetup.IsNeeded(two, none));
        Assert.True(RecoverySetup.IsNeeded(none, two));

        using RecoverySetup unchanged = RecoverySetup.Prepare(two, two), removed = RecoverySetup.Prepare(two, none);
        CoordinatorSnapshot before = Snapshot() with { Recovery = new RecoveryData(1, RecoveryKind.Whole, 1, [First]) };
        Assert.Same(before, unchanged.Apply(before));
        Assert.Empty(unchanged.Secrets);
        // Nobody holds a part of the new key, and the old one, whose parts are known, opens nothing any more.
        Assert.Null(removed.Apply(before).Recovery);
        Assert.NotNull(removed.Apply(before).NewDataKey);
        Assert.Empty(removed.Secrets);
    }

    [Fact]
    public void A_recovery_key_that_is_too_small_is_refused()
    {
        using RSA small = RSA.Create(512);
        JsonObject manifest = Manifest();
        manifest["RecoveryKeys"] = new JsonObject { ["small"] = small.ExportSubjectPublicKeyInfoPem() };
        ManifestDocument document = Read(manifest);
        CoordinatorException refused = Assert.Throws<CoordinatorException>(() => RecoverySetup.Prepare(null, document));
        Assert.Equal(CoordinatorError.ManifestRefused, refused.Error);
        Assert.Contains("small", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_255_recovery_keys_are_refused()
    {
        using var holder = new Holders(1);
        JsonObject manifest = Manifest();
        manifest["RecoveryKeys"] = new JsonObject(Enumerable.Range(0, 256).Select(i => KeyValuePair.Create($"k{i}", (JsonNode?)holder.Key(0).ExportSubjectPublicKeyInfoPem())));
        ManifestDocument document = Read(manifest);
        Assert.Equal(CoordinatorError.ManifestRefused, Assert.Throws<CoordinatorException>(() => RecoverySetup.Prepare(null, document)).Error);
    }

    [Fact]
    public void Recovery_data_is_frozen_and_mutations_of_it_are_read_back_or_refused()
    {
        byte[] valid = new RecoveryData(1, RecoveryKind.Shamir, 2, [First, Second, Third]).Encode();
        Assert.NotNull(RecoveryData.Decode(valid));
        Frozen.Equal("598acca8ffaa67a6db7d53bdf67fd77a6da46ce0f72674fb3e322d985d63ab55", valid);
        Mutations.Drive(valid, RecoveryData.Fuzz);
    }

    [Fact]
    public void Recovery_data_that_makes_no_sense_is_refused()
    {
        var valid = new RecoveryData(1, RecoveryKind.Shamir, 2, [First, Second, Third]);
        foreach (RecoveryData bad in new[]
        {
            valid with { Format = 2 }, valid with { Kind = 0 }, valid with { Kind = RecoveryKind.Whole }, valid with { Kind = RecoveryKind.Xor }, valid with { Threshold = 1 },
            valid with { Threshold = 3 }, valid with { Threshold = -1 }, valid with { Holders = [] }, valid with { Holders = [First, Second, Second] },
            valid with { Holders = [First, Second, Third with { SecretDigest = new byte[31] }] }, valid with { Holders = [First, Second, Third with { PublicKey = [] }] },
            valid with { Holders = [.. Enumerable.Range(0, 256).Select(i => First with { Name = $"{i}" })] },
        })
            Assert.Null(RecoveryData.Decode(bad.Encode()));
        string text = Encoding.UTF8.GetString(valid.Encode());
        foreach (string bad in new[] { "null", "{}", "[]", text + " x", text.Replace("\"Format\"", "\"format\"", StringComparison.Ordinal), text.Replace("\"Name\":\"a\"", "\"Name\":null", StringComparison.Ordinal) })
            Assert.Null(RecoveryData.Decode(Encoding.UTF8.GetBytes(bad)));
        Assert.Null(RecoveryData.Decode(new byte[RecoveryData.MaxBytes + 1]));
    }

    private static CoordinatorSnapshot Snapshot() => new()
    {
        State = CoordinatorState.AcceptingManifest,
        Authority = CertificateAuthority.Create(["localhost"], DateTimeOffset.UnixEpoch),
        RootSecret = new byte[32],
    };

    private static JsonObject Manifest() => JsonNode.Parse("""{"Packages":{"p":{"Debug":true,"UniqueID":"aa"}},"Marbles":{"m":{"Package":"p"}}}""")!.AsObject();

    private static ManifestDocument Document(Holders? holders, int threshold) => Read(holders?.AddTo(Manifest(), threshold) ?? Manifest());

    private static ManifestDocument Read(JsonObject manifest)
    {
        ManifestOutcome outcome = ManifestReader.Read(Encoding.UTF8.GetBytes(manifest.ToJsonString()), ManifestDialect.MarbleRun);
        Assert.True(outcome.IsAccepted, string.Join("; ", outcome.Problems.Select(problem => problem.Message)));
        return outcome.Document;
    }
}
