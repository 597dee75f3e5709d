using Cloister.Serving.Repository;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>Reads a <c>model_config_file</c> again from time to time and lets the repository follow what changed.</summary>
internal sealed class ModelConfigWatch(string path, TimeSpan interval, ModelRepository repository, TimeProvider time, ILogger logger)
{
    /// <summary>Watches until it is cancelled. A file that cannot be followed is logged once, and what was served before is served on.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        byte[]? last = null;
        string? said = null;
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            try
            {
                byte[] bytes = await SettingsFile.ReadAsync(path, cancellation);
                if (last is not null && bytes.AsSpan().SequenceEqual(last)) continue;
                last = bytes;
                await FollowAsync(bytes, cancellation);
                said = null;
            }
            catch (ServingException refusal)
            {
                // A file that stays unreadable is told of once.
                if (refusal.Message != said) logger.ConfigurationRefused((int)refusal.Error, refusal.Message);
                said = refusal.Message;
            }
#pragma warning disable CA1031 // One failure must not end the watch.
            catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
            {
                logger.ConfigurationFailed(failure);
            }
        }
    }

    private async Task FollowAsync(byte[] bytes, CancellationToken cancellation)
    {
        ModelConfigFile file = ModelConfigFile.Parse(bytes, Path.GetFileName(path));
        foreach (string note in file.Notes) logger.ConfigurationNoted(note);
        await repository.ApplyAsync(file.Plan, cancellation);
        logger.ConfigurationFollowed(path, file.Plan.Models.Length);
    }
}
