using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Measurements;
using Cloister.Images.Boot;
using Cloister.Sealing;

namespace Cloister.Images.Build;

/// <summary>Makes an image of a definition: the same bytes from the same inputs.</summary>
public static class ImageBuilder
{
    /// <summary>Builds an image. When the task has ended, the folder holds the whole image; when it fails or is stopped, what was there before is there still.</summary>
    /// <param name="definition">What the image is.</param>
    /// <param name="folder">The folder of the definition: relative paths in it begin here, and here lies <c>image.lock</c>.</param>
    /// <param name="options">Where things are.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends building.</param>
    /// <exception cref="ImageException">It cannot be built; the message says why.</exception>
    public static async Task<ImageMeasurements> BuildAsync(ImageDefinition definition, string folder, BuildOptions options, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        string cache = options.Cache ?? BuildOptions.DefaultCache, lockFile = Path.Combine(folder, ImageLayout.Lock);
        ImageLock? locked = !options.Update && File.Exists(lockFile) ? ImageLock.Read(await File.ReadAllBytesAsync(lockFile, cancellation)) : null;
        using OutputFolder output = OutputFolder.Begin(options.Output, path => File.Exists(Path.Combine(path, ImageLayout.Measurements)));

        KernelFiles kernel = await KernelPackages.FetchAsync(cache, progress, cancellation);
        await using var contents = new ContentStore(output.Path);
        var root = new RootBuild(definition, folder, options.Programs, cache, contents, progress) { AgentLibraries = kernel.Libraries, Output = options.Output };
        await root.CollectAsync(locked, cancellation);
        (ImageDefinition measured, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> configuration) = await ConfigurationAsync(definition, folder, cancellation);
        ImageLock now = await LockAsync(definition, root, kernel, configuration, cancellation);
        Compare(locked, now);

        RootDisk disk = await root.WriteAsync(Path.Combine(output.Path, ImageLayout.Root), cancellation);
        await contents.DisposeAsync();
        progress?.Report(new BuildProgress(BuildStage.Kernel));
        byte[] uki = UnifiedKernel.Build(kernel, measured, disk, configuration);
        progress?.Report(new BuildProgress(BuildStage.Measure));
        ImageMeasurements measurements = Measure(measured, uki, disk.RootHash.Span);

        await WriteAsync(output, ImageLayout.Uki, uki, cancellation);
        await WriteAsync(output, ImageLayout.Definition, configuration[ImageLayout.Definition], cancellation);
        await WriteAsync(output, ImageLayout.Lock, now.Write(), cancellation);
        await WriteAsync(output, ImageLayout.Measurements, ImageMeasurementsJson.Write(measurements), cancellation);
        cancellation.ThrowIfCancellationRequested();
        output.Publish();
        await KeepLockAsync(lockFile, locked, now);
        return measurements;
    }

    /// <summary>Predicts what a TPM will show for an image's files.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>: the file is no image whose measurements can be predicted.</exception>
    internal static ImageMeasurements Measure(ImageDefinition definition, ReadOnlyMemory<byte> uki, ReadOnlySpan<byte> rootHash) => new()
    {
        Name = definition.Name,
        Product = definition.Product,
        Version = definition.Version,
        Debug = definition.Debug,
        Uki = Convert.ToHexStringLower(SHA256.HashData(uki.Span)),
        RootHash = Convert.ToHexStringLower(rootHash),
        Pcrs = Enum.GetValues<BootPath>().ToImmutableSortedDictionary(path => path, path =>
            BootPrediction.Predict(uki, path) is var predicted && predicted.TryGetValue(out ImmutableSortedDictionary<int, string>? pcrs)
                ? pcrs
                : throw new ImageException(ImageError.ImageInvalid, $"{ImageLayout.Uki}: {predicted.Field} {predicted.Reason}.")),
    };

    // What the machine sees under /cloister/config. Where the root came from is no business of the machine: the root's hash says what it is.
    private static async Task<(ImageDefinition, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>)> ConfigurationAsync(ImageDefinition definition, string folder, CancellationToken cancellation)
    {
        const string PolicyName = "coordinator-policy.json";
        ImageDefinition measured = definition with { Files = [], CoordinatorPolicy = definition.CoordinatorPolicy is null ? null : PolicyName };
        var files = ImmutableSortedDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        files.Add(ImageLayout.Definition, ImageDefinitionJson.Write(measured));
        if (definition.CoordinatorPolicy is { } policy)
        {
            try
            {
                files.Add(PolicyName, await File.ReadAllBytesAsync(Path.Combine(folder, policy), cancellation));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new ImageException(ImageError.SourceUnreadable, $"coordinatorPolicy: {exception.Message}", exception);
            }
        }
        return (measured, files.ToImmutable());
    }

    private static async Task<ImageLock> LockAsync(ImageDefinition definition, RootBuild root, KernelFiles kernel, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> configuration, CancellationToken cancellation) => new(
        RootBuild.Request(definition),
        [
            .. root.Inputs,
            await RootBuild.ToolAsync(cancellation),
            .. kernel.Packages.Select(package => new LockedInput("kernel", package.Name, package.Version, package.Sha256)),
            .. configuration.Where(file => file.Key != ImageLayout.Definition).Select(file => new LockedInput("file", file.Key, "", Convert.ToHexStringLower(SHA256.HashData(file.Value.Span)))),
        ]);

    private static void Compare(ImageLock? locked, ImageLock now)
    {
        if (locked?.Differences(now) is { Count: > 0 } differences)
            throw new ImageException(ImageError.LockDiffers, $"image.lock names other inputs:\n  {string.Join("\n  ", differences)}\nTo take them as they are now: build with --update");
    }

    private static async Task WriteAsync(OutputFolder output, string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        await File.WriteAllBytesAsync(Path.Combine(output.Path, name), bytes, cancellation);

    // The image is whole by now; only the lock's own write may still fail.
    private static async Task KeepLockAsync(string path, ImageLock? before, ImageLock now)
    {
        byte[] bytes = now.Write();
        if (before is not null && before.Write().AsSpan().SequenceEqual(bytes)) return;
        const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        await AtomicFile.WriteAsync(path, (stream, token) => stream.WriteAsync(bytes, token).AsTask(), Readable);
    }
}
