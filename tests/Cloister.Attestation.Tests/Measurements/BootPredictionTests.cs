using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Tests.Tpm;

namespace Cloister.Tests.Measurements;

public sealed class BootPredictionTests
{
    [SharedDataFact]
    public void What_does_not_depend_on_the_image_equals_a_recorded_boot()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("vtpm/expected-h.json")));
        ImmutableSortedDictionary<int, string> predicted = BootPrediction.Predict(SmallProgram.Uki(), BootPath.Kernel).Value;
        Assert.Equal([4, 5, 7, 9, 11, 12], predicted.Keys);
        foreach (int pcr in new[] { 5, 7, 12 })
            Assert.Equal(document.RootElement.GetProperty($"{pcr}").GetString(), predicted[pcr]);
    }

    [SharedDataFact]
    public void What_depends_on_it_is_composed_as_in_a_recorded_boot()
    {
        // The log gives the digests of the recorded image's parts; in the order of the format they lead to the quoted values.
        RecordedBootTests.Boot boot = RecordedBootTests.Boot.Load();
        ImmutableDictionary<string, string> fields = boot.Prove().Claims!.Fields;
        string[] applications = fields["boot.sha256.applications"].Split(',');
        Assert.Equal(Quoted(boot, 4), Extended(
            Convert.FromHexString(applications[0]), SHA256.HashData("Calling EFI Application from Boot Option"u8), SHA256.HashData(new byte[4]), Convert.FromHexString(applications[1])));
        Assert.Equal(Quoted(boot, 9), Extended(Convert.FromHexString(fields["boot.sha256.loadOptions"]), Convert.FromHexString(fields["boot.sha256.initrd"])));
    }

    [Fact]
    public void A_small_image_is_predicted_by_the_formulas()
    {
        byte[] uki = SmallProgram.Uki("quiet", "initrd");
        byte[] whole = PortableExecutable.Read(uki).Value.AuthenticodeDigest(), kernel = PortableExecutable.Read(SmallProgram.Kernel).Value.AuthenticodeDigest();
        byte[] action = SHA256.HashData("Calling EFI Application from Boot Option"u8), separator = SHA256.HashData(new byte[4]);
        ImmutableSortedDictionary<int, string> direct = BootPrediction.Predict(uki, BootPath.Kernel).Value, disk = BootPrediction.Predict(uki, BootPath.Disk).Value;
        Assert.Equal(Extended(whole, action, separator, kernel), direct[4]);
        Assert.Equal(Extended(action, separator, whole, kernel), disk[4]);
        Assert.Equal(direct.Remove(4), disk.Remove(4));
        Assert.Equal(Extended(SHA256.HashData("q\0u\0i\0e\0t\0\0\0"u8), SHA256.HashData("initrd"u8)), direct[9]);
        Assert.Equal(Extended([.. new[] { ".linux\0"u8.ToArray(), SmallProgram.Kernel, ".osrel\0"u8.ToArray(), "ID=cloister\n"u8.ToArray(), ".cmdline\0"u8.ToArray(), "quiet"u8.ToArray(), ".initrd\0"u8.ToArray(), "initrd"u8.ToArray() }.Select(SHA256.HashData)]), direct[11]);
        Assert.Equal(new string('0', 64), direct[12]);
    }

    [Fact]
    public void Every_part_shows_where_it_is_measured()
    {
        ImmutableSortedDictionary<int, string> one = BootPrediction.Predict(SmallProgram.Uki(), BootPath.Kernel).Value;
        Assert.Equal([4, 9, 11], Differing(one, SmallProgram.Uki(commandLine: "quiet evil=1")));
        Assert.Equal([4, 9, 11], Differing(one, SmallProgram.Uki(initrd: "inItrd")));
        Assert.Equal([4], Differing(one, SmallProgram.Uki(stub: "252.40-1")));
        Assert.Equal([4], Differing(one, SmallProgram.Uki(more: (".other", [1]))));
    }

    [Fact]
    public void An_image_that_is_measured_otherwise_is_refused()
    {
        Assert.Equal(Refusal.ImageNotPredictable, Predict(SmallProgram.Uki(stub: "255.4")).Refusal);
        Assert.Equal((Refusal.ImageNotPredictable, ".dtb"), Named(SmallProgram.Uki(more: (".dtb", [1]))));
        Assert.Equal((Refusal.ImageNotPredictable, ".uname"), Named(SmallProgram.Uki(more: (".uname", [1]))));
        Assert.Equal((Refusal.ImageNotPredictable, ".initrd"), Named(SmallProgram.Uki(more: (".initrd", [1]))));
        Assert.Equal((Refusal.ImageNotPredictable, ".cmdline"), Named(SmallProgram.Uki(commandLine: "quiet\n")));
        Assert.Equal((Refusal.ImageNotPredictable, ".sdmagic"), Named(SmallProgram.Kernel));
        Assert.Equal(Refusal.ImageMalformed, Predict([]).Refusal);
        Assert.Throws<ArgumentOutOfRangeException>(() => BootPrediction.Predict(SmallProgram.Uki(), (BootPath)7));
    }

    private static (Refusal Refusal, string Field) Named(byte[] uki) => (Predict(uki).Refusal, Predict(uki).Field);

    private static Outcome<ImmutableSortedDictionary<int, string>> Predict(byte[] uki) => BootPrediction.Predict(uki, BootPath.Disk);

    private static IEnumerable<int> Differing(ImmutableSortedDictionary<int, string> one, byte[] uki) =>
        BootPrediction.Predict(uki, BootPath.Kernel).Value.Where(pcr => one[pcr.Key] != pcr.Value).Select(pcr => pcr.Key);

    private static string Quoted(RecordedBootTests.Boot boot, int pcr) => Convert.ToHexStringLower(boot.Report.Pcrs.Single(one => one.Index == pcr).Value.Span);

    private static string Extended(params byte[][] digests)
    {
        var register = new byte[32];
        foreach (byte[] digest in digests) TpmHash.Extend(TpmAlgorithm.Sha256, register, digest);
        return Convert.ToHexStringLower(register);
    }
}
