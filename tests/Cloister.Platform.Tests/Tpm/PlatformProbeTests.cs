using Cloister.Platform;
using Cloister.Platform.Simulation;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

public sealed class PlatformProbeTests
{
    [Fact]
    public void A_TPM_comes_before_a_simulator_and_a_host_key()
    {
        const string device = "/dev/null"; // it is there, which is all that is looked at
        Assert.IsType<TpmIssuer>(PlatformProbe.CreateIssuer(new PlatformOptions("/run/simulator", "keys", device)));
        Assert.IsType<SimulatorIssuer>(PlatformProbe.CreateIssuer(new PlatformOptions("/run/simulator")));
        Assert.Equal("tpm", PlatformProbe.CreateSealer(new PlatformOptions(null, "keys", device)).Kind);
        Assert.Equal("host-key", PlatformProbe.CreateSealer(new PlatformOptions("/run/simulator", "keys")).Kind);
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        PlatformException none = Assert.Throws<PlatformException>(() => PlatformProbe.CreateIssuer(new PlatformOptions()));
        Assert.Equal(PlatformError.NoAttester, none.Error);
        Assert.Contains(PlatformOptions.TpmVariable, none.Message, StringComparison.Ordinal);
        Assert.Equal(PlatformError.TpmAbsent, Assert.Throws<PlatformException>(() => PlatformProbe.CreateIssuer(new PlatformOptions(Tpm: "/dev/no-such-tpm"))).Error);
        Assert.Equal(PlatformError.TpmAbsent, Assert.Throws<PlatformException>(() => PlatformProbe.CreateSealer(new PlatformOptions(Tpm: "swtpm:/no/such/socket"))).Error);
        Assert.Equal(PlatformError.TpmAddressInvalid, Assert.Throws<PlatformException>(() => PlatformProbe.CreateIssuer(new PlatformOptions(Tpm: "tpm0"))).Error);
        Assert.Equal(PlatformError.KeyFileUnusable, Assert.Throws<PlatformException>(() => PlatformProbe.CreateSealer(new PlatformOptions())).Error);
    }

    [Fact]
    public void A_sealer_needs_a_PCR() => Assert.Throws<ArgumentException>(() => new TpmSealer("/dev/tpmrm0", []));
}
