namespace Cloister.Tests.Tpm;

/// <summary>Machines that several tests look at: two of one authority, and a stranger. Null where software TPMs are not installed; the tests are skipped then.</summary>
public sealed class TpmMachines : IAsyncLifetime
{
    /// <summary>The image that <see cref="One"/> and <see cref="Other"/> booted.</summary>
    internal const string Image = "inference";

    internal TpmMachine One { get; private set; } = null!;

    /// <summary>Another machine under the same authority.</summary>
    internal TpmMachine Other { get; private set; } = null!;

    /// <summary>A machine under an authority of its own.</summary>
    internal TpmMachine Stranger { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (Swtpm.Missing is not null)
            return;
        One = await TpmMachine.BootAsync(Image);
        Other = await TpmMachine.BootAsync(Image, One);
        Stranger = await TpmMachine.BootAsync(Image);
    }

    public Task DisposeAsync()
    {
        Stranger?.Dispose();
        Other?.Dispose();
        One?.Dispose();
        return Task.CompletedTask;
    }
}
