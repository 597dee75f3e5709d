namespace Cloister.Samples.Spam;

/// <summary>
/// The 57 features of an e-mail that the UCI data set Spambase defines (its file spambase.DOCUMENTATION): how often 48 words and six
/// characters occur, in percent, and how long the runs of capital letters are. <c>samples/EncryptedPage/features.mjs</c> is its twin:
/// the two give the same numbers to the last bit.
/// </summary>
internal static class SpamFeatures
{
    /// <summary>The words, lower case, in the data set's order.</summary>
    public static readonly IReadOnlyList<string> Words =
    [
        "make", "address", "all", "3d", "our", "over", "remove", "internet", "order", "mail", "receive", "will",
        "people", "report", "addresses", "free", "business", "email", "you", "credit", "your", "font", "000", "money",
        "hp", "hpl", "george", "650", "lab", "labs", "telnet", "857", "data", "415", "85", "technology",
        "1999", "parts", "pm", "direct", "cs", "meeting", "original", "project", "re", "edu", "table", "conference",
    ];

    /// <summary>The characters, in the data set's order.</summary>
    public const string Characters = ";([!$#";

    /// <summary>The features' names, in the order of a row.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        .. Words.Select(word => "word_freq_" + word),
        .. Characters.Select(character => "char_freq_" + character),
        "capital_run_length_average", "capital_run_length_longest", "capital_run_length_total",
    ];

    /// <summary>
    /// The features of a text. A word is a run of ASCII letters and digits, whatever their case; a character is a UTF-16 unit; a run of
    /// capitals is one of A to Z. A text with none of a kind has zeros.
    /// </summary>
    public static double[] Of(string mail)
    {
        var counts = new int[Names.Count];
        int words = 0, runs = 0, longest = 0, capitals = 0;
        for (int at = 0, word = 0, run = 0; at <= mail.Length; at++)
        {
            char character = at < mail.Length ? mail[at] : ' ';
            if (at < mail.Length && Characters.IndexOf(character, StringComparison.Ordinal) is >= 0 and var known)
                counts[Words.Count + known]++;

            run = char.IsAsciiLetterUpper(character) ? run + 1 : 0;
            if (run > 0)
                capitals++;
            if (run == 1)
                runs++;
            longest = Math.Max(longest, run);

            if (char.IsAsciiLetterOrDigit(character))
                continue;
            if (at > word)
            {
                words++;
                if (Place(mail.AsSpan(word, at - word)) is >= 0 and var place)
                    counts[place]++;
            }
            word = at + 1;
        }

        var features = new double[Names.Count];
        for (int i = 0; i < Words.Count; i++)
            features[i] = words == 0 ? 0 : 100.0 * counts[i] / words;
        for (int i = Words.Count; i < Words.Count + Characters.Length; i++)
            features[i] = mail.Length == 0 ? 0 : 100.0 * counts[i] / mail.Length;
        features[^3] = runs == 0 ? 0 : (double)capitals / runs;
        features[^2] = longest;
        features[^1] = capitals;
        return features;
    }

    private static int Place(ReadOnlySpan<char> word)
    {
        for (int i = 0; i < Words.Count; i++)
            if (word.Equals(Words[i], StringComparison.OrdinalIgnoreCase))
                return i;
        return -1;
    }
}
