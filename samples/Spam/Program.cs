using System.Globalization;
using System.Security.Cryptography;

namespace Cloister.Samples.Spam;

/// <summary>The command line: train, check, features.</summary>
internal static class Program
{
    private const int Done = 0, Different = 1, WrongUse = 2;

    private const string Usage = """
        Trains a small classifier of e-mails on the UCI data set Spambase, and computes its features of any e-mail.

          train --data spambase.csv --out DIR   train, and write the model and its features' ranges
          check --data spambase.csv             train, and compare every byte with the committed files
          features FILE...                      the features of e-mails as CSV: headings, then one row a file
        """;

    internal static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["train", "--data", var data, "--out", var folder]:
                Artefacts.Save(Train(data), folder);
                return Done;
            case ["check", "--data", var data]:
                return Check(data);
            case ["features", .. { Length: > 0 } mails]:
                Console.WriteLine(string.Join(',', SpamFeatures.Names));
                foreach (string mail in mails)
                    Console.WriteLine(string.Join(',', SpamFeatures.Of(File.ReadAllText(mail)).Select(feature => feature.ToString(CultureInfo.InvariantCulture))));
                return Done;
            default:
                Console.Error.WriteLine(Usage);
                return WrongUse;
        }
    }

    private static IReadOnlyDictionary<string, byte[]> Train(string data)
    {
        SpamTable table = SpamTable.Read(data), training = table.Part(heldOut: false), heldOut = table.Part(heldOut: true);
        LogisticRegression model = LogisticRegression.Train(training);
        Console.WriteLine($"{model.CountCorrect(heldOut)} of {heldOut.Rows.Length} held-out e-mails and {model.CountCorrect(training)} of {training.Rows.Length} others judged rightly");
        IReadOnlyDictionary<string, byte[]> files = Artefacts.Make(model, training);
        foreach ((string name, byte[] bytes) in files)
            Console.WriteLine($"{name}: {bytes.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(bytes))}");
        return files;
    }

    private static int Check(string data)
    {
        IReadOnlyList<string> differences = Artefacts.Differences(Train(data), SampleFolder());
        Console.WriteLine(differences.Count == 0 ? "every byte is as committed" : $"different: {string.Join(", ", differences)}");
        return differences.Count == 0 ? Done : Different;
    }

    /// <summary>The folder with the committed files: the first above the program that holds them, or the current one.</summary>
    private static string SampleFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Artefacts.Model)))
                return folder.FullName;
        return Environment.CurrentDirectory;
    }
}
