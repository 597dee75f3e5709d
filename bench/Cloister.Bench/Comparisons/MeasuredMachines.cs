using System.Runtime.CompilerServices;

namespace Cloister.Bench;

/// <summary>
/// A measured machine beside a conventional one (Debian's cloud kernel, BusyBox, no measurement of the root, nothing closed) that boots to
/// the same web server on the same QEMU, firmware and software TPM; and the whole story on measured machines beside the story on the host.
/// </summary>
internal sealed class MeasuredMachines : IComparison
{
    private const int Rounds = 3;

    public string Name => "machine";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        try
        {
            string web = Path.Combine(folder, "web", "app"), definition = Path.Combine(folder, "web"), image = Path.Combine(folder, "image"), plain = Path.Combine(folder, "plain");
            await Command.RunAsync("dotnet", ["publish", Path.Combine(BenchContext.Root, "bench", "Cloister.Bench.Web"), "-c", "Release", "-r", "linux-x64", "--self-contained", "-v", "quiet", "-o", web], cancellation);
            await File.WriteAllTextAsync(Path.Combine(definition, "image.yaml"), WebImage, cancellation);

            string script = Path.Combine(BenchContext.Root, "bench", "machine", "conventional");
            await BuildAsync(definition, image, Path.Combine(folder, "cache-first"), cancellation); // fetches packages, as the script's first run does
            await Command.RunAsync(script, [web, plain], cancellation);
            double peerBuild = (await Command.RunAsync(script, [web, plain], cancellation)).Seconds;
            Directory.Delete(image, recursive: true);
            Directory.Delete(Path.Combine(folder, "cache-first", "roots"), recursive: true);
            double build = await BuildAsync(definition, image, Path.Combine(folder, "cache-first"), cancellation);
            yield return new Figure("machine.build", build, peerBuild, "s", "conventional: apt-get, dpkg-deb, mksquashfs", double.PositiveInfinity);
            yield return new Figure("machine.rebuild", await BuildAsync(definition, image, Path.Combine(folder, "cache-first"), cancellation), peerBuild, "s", "conventional", double.PositiveInfinity, "configuration changed only");
            yield return new Figure("machine.size", Megabytes(Path.Combine(image, "uki.efi"), Path.Combine(image, "root.img")), Megabytes(Directory.GetFiles(plain)), "MB", "conventional", double.PositiveInfinity);

            List<double> boots = [], peerBoots = [], memory = [], peerMemory = [];
            for (int round = 0; round < Rounds; round++)
            {
                await using (WebMachine ours = await WebMachine.StartMeasuredAsync(image, Path.Combine(folder, $"machine-{round}"), cancellation))
                    (boots, memory) = ([.. boots, ours.Seconds], [.. memory, ours.Megabytes]);
                await using WebMachine peer = await WebMachine.StartConventionalAsync(plain, Path.Combine(folder, $"plain-{round}"), cancellation);
                (peerBoots, peerMemory) = ([.. peerBoots, peer.Seconds], [.. peerMemory, peer.Megabytes]);
            }
            yield return new Figure("machine.boot-to-web-server", Median(boots), Median(peerBoots), "s", "conventional", double.PositiveInfinity);
            yield return new Figure("machine.memory", Median(memory), Median(peerMemory), "MB", "conventional", double.PositiveInfinity, "QEMU and swtpm on the host");
            await foreach (Figure figure in StoriesAsync(folder, cancellation))
                yield return figure;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async IAsyncEnumerable<Figure> StoriesAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation)
    {
        StoryFigures inside, outside;
        await using (KeptStory story = await KeptStory.StartAsync(["--tee", "vtpm"], Path.Combine(folder, "inside"), cancellation))
            inside = await story.MeasureAsync(cancellation);
        await using (KeptStory story = await KeptStory.StartAsync([], Path.Combine(folder, "outside"), cancellation))
            outside = await story.MeasureAsync(cancellation);
        const string peer = "the same processes on the host, simulated evidence";
        yield return new Figure("machine.first-prediction", inside.FirstPrediction, outside.FirstPrediction, "s", peer, double.PositiveInfinity, "images built, two machines booted, key released, client verified");
        yield return new Figure("machine.inference", inside.Inference, outside.Inference, "ms", peer, double.PositiveInfinity);
        yield return new Figure("machine.quote", inside.Evidence, outside.Evidence, "ms", peer, double.PositiveInfinity, "fresh evidence over TLS");
    }

    private static async Task<double> BuildAsync(string definition, string image, string cache, CancellationToken cancellation)
    {
        if (Directory.Exists(image)) Directory.Delete(image, recursive: true);
        return (await Command.RunAsync(Command.Cloister, ["image", "build", definition, "--output", image, "--cache", cache, "--update", "--json"], cancellation)).Seconds;
    }

    private static double Megabytes(params string[] files) => files.Sum(file => new FileInfo(file).Length) / 1e6;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private const string WebImage = """
        name: web
        start: web
        machine: { memory: 512, cpus: 1 }
        entries:
          web:
            command: [/app/web]
            environment: { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1", DOTNET_EnableDiagnostics: "0" }
        files:
          - packages: [libc6, libgcc-s1, libstdc++6, libssl3, zlib1g]
          - directory: app
            to: /app
        network: { listen: [8080] }
        """;
}

/// <summary>What one story took: seconds to the first verified prediction; then milliseconds of a request and of fresh evidence.</summary>
internal sealed record StoryFigures(double FirstPrediction, double Inference, double Evidence);
