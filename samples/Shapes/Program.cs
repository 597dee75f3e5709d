using System.Globalization;
using System.Security.Cryptography;
using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;
using Cloister.Samples.Shapes.Learning;

namespace Cloister.Samples.Shapes;

/// <summary>The command line: train, check, draw.</summary>
internal static class Program
{
    private const int Done = 0, Different = 1, WrongUse = 2;

    private const string Usage = """
        Trains a small classifier of shapes on pictures that it draws itself.

          train --out DIR                     train, and write the model and its sample pictures
          check                               train, and compare every byte with the committed files
          draw --out DIR [--count N] [--seed S]   draw N pictures (20) from a seed (1)
        """;

    internal static int Main(string[] arguments)
    {
        if (arguments is [var verb, .. var rest] && TryOptions(rest, out Dictionary<string, string> options))
        {
            switch (verb)
            {
                case "train" when options.Remove("--out", out string? folder) && options.Count == 0:
                    Artefacts.Save(Train(), folder);
                    return Done;
                case "check" when options.Count == 0:
                    return Check();
                case "draw" when options.Remove("--out", out string? folder) && TryNumber(options, "--count", 20, out int count) && TryNumber(options, "--seed", 1, out int seed) && options.Count == 0:
                    Draw(folder, count, (ulong)seed);
                    return Done;
                default:
                    break;
            }
        }

        Console.Error.WriteLine(Usage);
        return WrongUse;
    }

    private static IReadOnlyDictionary<string, byte[]> Train()
    {
        Network network = Trainer.Train(
            (step, steps) =>
            {
                if (step % 100 == 0)
                    Console.Error.WriteLine($"{step} of {steps} steps");
            },
            CancellationToken.None);
        Console.WriteLine($"{Trainer.CountCorrect(network)} of {Trainer.HeldOut} held-out drawings named rightly");
        IReadOnlyDictionary<string, byte[]> files = Artefacts.Make(network);
        Console.WriteLine($"{Artefacts.Model}: {files[Artefacts.Model].Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(files[Artefacts.Model]))}");
        return files;
    }

    private static int Check()
    {
        IReadOnlyList<string> differences = Artefacts.Differences(Train(), SampleFolder());
        Console.WriteLine(differences.Count == 0 ? "every byte is as committed" : $"different: {string.Join(", ", differences)}");
        return differences.Count == 0 ? Done : Different;
    }

    private static void Draw(string folder, int count, ulong seed)
    {
        Directory.CreateDirectory(folder);
        for (int index = 0; index < count; index++)
        {
            string name = $"{index:D4}-{Outlines.Labels[ShapeDrawing.LabelOf(index)]}.png";
            File.WriteAllBytes(Path.Combine(folder, name), PngWriter.Write(ShapeDrawing.Draw(seed, index)));
        }
    }

    /// <summary>The folder with the committed files: the first above the program that holds them, or the current one.</summary>
    private static string SampleFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Artefacts.Model)))
                return folder.FullName;
        return Environment.CurrentDirectory;
    }

    private static bool TryOptions(string[] arguments, out Dictionary<string, string> options)
    {
        options = [];
        for (int i = 0; i + 1 < arguments.Length; i += 2)
            if (!options.TryAdd(arguments[i], arguments[i + 1]))
                return false;
        return arguments.Length % 2 == 0;
    }

    private static bool TryNumber(Dictionary<string, string> options, string name, int standard, out int number)
    {
        number = standard;
        return !options.Remove(name, out string? text) || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 0);
    }
}
