using Cloister.Attestation;
using Cloister.Attestation.Measurements;

namespace Cloister.Images.Build;

/// <summary>A built image: a folder with the files of <see cref="ImageLayout"/>.</summary>
public sealed class ImageFolder
{
    private const int MaximumUki = 512 << 20;

    private ImageFolder(string path, ImageDefinition definition, ImageMeasurements measurements) => (Path, Definition, Measurements) = (path, definition, measurements);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>What the machine obeys.</summary>
    public ImageDefinition Definition { get; }

    /// <summary>What a TPM will show when it boots.</summary>
    public ImageMeasurements Measurements { get; }

    /// <summary>The Unified Kernel Image.</summary>
    public string Uki => System.IO.Path.Combine(Path, ImageLayout.Uki);

    /// <summary>The root with its tree.</summary>
    public string Root => System.IO.Path.Combine(Path, ImageLayout.Root);

    /// <summary>Opens a built image's folder. Its documents are read and compared; <see cref="VerifyAsync"/> looks at all bytes.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/> or <see cref="ImageError.DefinitionInvalid"/>.</exception>
    public static ImageFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        foreach (string name in new[] { ImageLayout.Measurements, ImageLayout.Definition, ImageLayout.Uki, ImageLayout.Root })
            if (!File.Exists(System.IO.Path.Combine(path, name)))
                throw new ImageException(ImageError.ImageInvalid, $"'{path}' is no built image: it has no {name}. Build one: cloister image build");
        ImageDefinition definition = ImageDefinitionReader.Read(Read(path, ImageLayout.Definition, ImageDefinitionReader.MaximumSize));
        Outcome<ImageMeasurements> read = ImageMeasurementsJson.Read(Read(path, ImageLayout.Measurements, ImageMeasurementsJson.MaximumSize));
        if (!read.TryGetValue(out ImageMeasurements? measurements)) throw new ImageException(ImageError.ImageInvalid, $"'{path}': {read.Field} {read.Reason}.");
        if ((measurements.Name, measurements.Product, measurements.Version, measurements.Debug) != (definition.Name, definition.Product, definition.Version, definition.Debug))
            throw new ImageException(ImageError.ImageInvalid, $"'{path}': {ImageLayout.Measurements} and {ImageLayout.Definition} are of different images.");
        return new ImageFolder(path, definition, measurements);
    }

    /// <summary>Opens a built image's folder, or the package of one, which is unpacked into the cache once.</summary>
    /// <param name="path">A folder, or a tar that <see cref="ImagePackage"/> wrote.</param>
    /// <param name="cache">Where packages are unpacked; null: <see cref="BuildOptions.DefaultCache"/>.</param>
    /// <param name="cancellation">Ends unpacking.</param>
    /// <exception cref="ImageException">It is no image.</exception>
    public static async Task<ImageFolder> OpenAsync(string path, string? cache, CancellationToken cancellation) =>
        Open(File.Exists(path) ? await ImagePackage.UnpackAsync(path, cache ?? BuildOptions.DefaultCache, cancellation) : path);

    /// <summary>The image's lock.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>.</exception>
    public ImageLock ReadLock() => ImageLock.Read(Read(Path, ImageLayout.Lock, ImageLock.MaximumSize));

    /// <summary>The Unified Kernel Image's bytes.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>.</exception>
    public ReadOnlyMemory<byte> ReadUki() => Read(Path, ImageLayout.Uki, MaximumUki);

    /// <summary>Computes the measurements anew from kernel image and root, and compares: that the root is the one whose hash the kernel is given, and that the definition beside it is the one that is inside.</summary>
    /// <returns>The computed measurements, which are <see cref="Measurements"/>.</returns>
    /// <exception cref="ImageException"><see cref="ImageError.MeasurementsDiffer"/>; the message says in what.</exception>
    public async Task<ImageMeasurements> VerifyAsync(IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> uki = ReadUki();
        Outcome<UnifiedKernelImage> parts = UnifiedKernelImage.Read(uki);
        if (!parts.TryGetValue(out UnifiedKernelImage? image)) throw Differ($"{ImageLayout.Uki}: {parts.Field} {parts.Reason}");
        RootDisk root = await VerityTree.ReadAsync(Root, progress, cancellation);
        string hash = Convert.ToHexStringLower(root.RootHash.Span);
        string line = System.Text.Encoding.ASCII.GetString(image.CommandLine.Span);
        if (!line.Split(' ').Contains($"roothash={hash}")) throw Differ($"{ImageLayout.Root} has the hash {hash}, which is not on the kernel's command line");
        if (image.Initrd.Span.IndexOf(ImageDefinitionJson.Write(Definition)) < 0) throw Differ($"{ImageLayout.Definition} is not the one in {ImageLayout.Uki}");
        ImageMeasurements now = ImageBuilder.Measure(Definition, uki, root.RootHash.Span);
        return ImageMeasurementsJson.Write(now).AsSpan().SequenceEqual(ImageMeasurementsJson.Write(Measurements)) ? now : throw Differ($"{ImageLayout.Measurements} does not have what {ImageLayout.Uki} gives");
    }

    private ImageException Differ(string reason) => new(ImageError.MeasurementsDiffer, $"'{Path}': {reason}.");

    private static byte[] Read(string folder, string name, int limit)
    {
        try
        {
            var file = new FileInfo(System.IO.Path.Combine(folder, name));
            return file.Length <= limit ? File.ReadAllBytes(file.FullName) : throw new ImageException(ImageError.ImageInvalid, $"'{file.FullName}' has more than {limit:N0} bytes.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.ImageInvalid, $"'{folder}': {name} cannot be read: {exception.Message}", exception);
        }
    }
}
