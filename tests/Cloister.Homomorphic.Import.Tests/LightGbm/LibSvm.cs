using System.Globalization;

namespace Cloister.Homomorphic.Import.Tests.LightGbm;

/// <summary>Lines of libsvm: the target, then place:value of what is present.</summary>
internal static class LibSvm
{
    public static double[] Row(string line)
    {
        double[] row = [double.NaN, double.NaN];
        foreach (string pair in line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            string[] parts = pair.Split(':');
            row[int.Parse(parts[0], CultureInfo.InvariantCulture)] = double.Parse(parts[1], CultureInfo.InvariantCulture);
        }
        return row;
    }
}
