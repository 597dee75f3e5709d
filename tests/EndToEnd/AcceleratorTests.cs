using System.Diagnostics;

namespace Cloister.EndToEnd;

/// <summary>The verb that runs an accelerator; what one does is tested beside the library.</summary>
public sealed class AcceleratorTests
{
    [Fact]
    public async Task It_says_where_it_listens_and_takes_the_place_of_one_that_was_killed()
    {
        using var folder = new TemporaryFolder();
        string address = "unix:" + folder["a.sock"];
        for (int time = 0; time < 2; time++)
        {
            using Process accelerator = CloisterCommand.Start("accelerator", "run", "--listen", address, "--threads", "1", "--json");
            Assert.Equal(address, (string?)(await CloisterCommand.WaitForAsync(accelerator, "listening"))["address"]);
            Assert.True(File.Exists(folder["a.sock"]));
            accelerator.Kill();
            await accelerator.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task What_is_no_address_is_a_usage_error()
    {
        Ended ended = await CloisterCommand.RunAsync("accelerator", "run", "--listen", "nowhere");
        Assert.Equal(2, ended.Code);
        Assert.Contains("unix:/path", ended.Error, StringComparison.Ordinal);
    }
}
