using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;
using Cloister.Protocol.Rest;
using Cloister.Tests.Tpm;

namespace Cloister.Coordinator.Tests.Hosting;

/// <summary>A coordinator whose state's key is in a TPM, and opens in one machine state.</summary>
public sealed class TpmSealedStateTests
{
    [SwtpmFact]
    public async Task The_state_opens_on_the_same_boot_and_recovers_from_another()
    {
        using var tpm = new Swtpm();
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Tpm = tpm.Address, SealToTpm = true });
        await coordinator.SetManifestAsync(new TestManifest(coordinator.HostKey).Text);
        CoordinatorState inForce = coordinator.Host.State.Current.State;
        Assert.False(Directory.Exists(coordinator.Options.HostKeyFolder), "a host key was made beside the TPM");
        await coordinator.RestartAsync();
        Assert.Equal(inForce, coordinator.Host.State.Current.State);

        // Another initrd or command line.
        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(9, TpmAlgorithm.Sha256, new byte[32], CancellationToken.None);
        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.Recovery, coordinator.Host.State.Current.State);

        tpm.Kill();
        tpm.Start();
        await coordinator.RestartAsync();
        Assert.Equal(inForce, coordinator.Host.State.Current.State);
    }

    [Fact]
    public async Task A_TPM_that_is_missing_ends_the_start_with_its_name()
    {
        PlatformException missing = await Assert.ThrowsAsync<PlatformException>(() => CoordinatorHost.CreateAsync(
            new CoordinatorOptions { ClientAddress = "localhost:0", MeshAddress = "localhost:0", SealFolder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), Tpm = "swtpm:/no/such/socket", SealToTpm = true }));
        Assert.Equal(PlatformError.TpmAbsent, missing.Error);
    }

    [Fact]
    public void A_TPM_seals_unless_a_host_key_is_named()
    {
        Assert.True(Options(("CLOISTER_TPM", "/dev/tpmrm0")).SealToTpm);
        Assert.False(Options(("CLOISTER_TPM", "/dev/tpmrm0"), ("CLOISTER_HOST_KEY_DIR", "keys")).SealToTpm);
        Assert.Equal("/dev/tpmrm0", Options(("CLOISTER_TPM", "/dev/tpmrm0"), ("CLOISTER_HOST_KEY_DIR", "keys")).Tpm);
        Assert.False(Options().SealToTpm);
        Assert.Throws<ArgumentException>(() => new CoordinatorOptions { SealToTpm = true }.Checked());
    }

    private static CoordinatorOptions Options(params (string Name, string Value)[] variables) =>
        CoordinatorOptions.FromEnvironment(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
