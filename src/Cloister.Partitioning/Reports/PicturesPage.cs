using System.Collections.Immutable;
using System.Text;

namespace Cloister.Partitioning.Reports;

/// <summary>The page's grid of pictures: a column a picture, the originals first, then what was rebuilt at each cut.</summary>
internal static class PicturesPage
{
    private const int MostColumns = 8;

    private static readonly (string Attack, string Words)[] Rebuilders = [("inversion", "least squares"), ("gradient", "gradient descent")];

    public static void Append(StringBuilder page, ImmutableArray<AssessedCut> cuts)
    {
        var rows = (from cut in cuts
                    from rebuilder in Rebuilders
                    let finding = cut[rebuilder.Attack]
                    where finding is not null && !finding.Pictures.IsDefaultOrEmpty
                    select (Cut: cut, rebuilder.Words, finding.Pictures)).ToArray();
        if (rows.Length == 0) return;
        RebuiltPicture[] columns = [.. rows.SelectMany(row => row.Pictures).DistinctBy(picture => picture.Name).Take(MostColumns)];
        page.Append("<h2>What an attacker sees</h2><p class=\"soft\">Originals, which the attacker never had, and what was rebuilt from the tensors that cross. Few learned from and seconds of computing; a trained network does better.</p>");
        page.Append("<div class=\"scroll\"><table class=\"pictures\"><tbody><tr><th>original</th>");
        foreach (RebuiltPicture column in columns) Picture(page, column.Original, $"original {column.Name}");
        page.Append("</tr>\n");
        foreach ((AssessedCut cut, string words, ImmutableArray<RebuiltPicture> pictures) in rows)
        {
            page.Append($"<tr><th>{PageText.Names(cut.Tensors)}<br/><span class=\"soft\">{PageText.Share(cut.MacShareInside)} inside, {words}</span></th>");
            foreach (RebuiltPicture column in columns)
            {
                if (pictures.FirstOrDefault(picture => picture.Name == column.Name) is { } rebuilt) Picture(page, rebuilt.Rebuilt, $"rebuilt {column.Name}");
                else page.Append("<td></td>");
            }
            page.Append("</tr>\n");
        }
        page.Append("</tbody></table></div>\n");
    }

    private static void Picture(StringBuilder page, ReadOnlyMemory<byte> png, string words) =>
        page.Append($"<td><img alt=\"{PageText.Escape(words)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png.Span)}\"/></td>");
}
