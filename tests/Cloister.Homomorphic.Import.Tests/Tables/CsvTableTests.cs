using System.Text;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests.Tables;

public sealed class CsvTableTests
{
    [Fact]
    public void Cells_are_read_as_RFC_4180_says()
    {
        CsvTable table = Read("\"a\",b,\"the \"\"third\"\",\r\none\"\r\n1,-2.5e3,\"3\"\r\n\r\n 4 ,5,6");
        Assert.Equal(["a", "b", "the \"third\",\r\none"], table.Columns);
        Assert.Equal([[1, -2500, 3], [4, 5, 6]], table.Rows);
    }

    [Fact]
    public void Absent_cells_are_NaN()
    {
        CsvTable table = Read("a,b,c\n1,,NA\n?,2,nan\n,,\n");
        Assert.Equal([[1, double.NaN, double.NaN], [double.NaN, 2, double.NaN], [double.NaN, double.NaN, double.NaN]], table.Rows);
    }

    [Fact]
    public void A_byte_order_mark_and_other_separators_are_no_obstacle()
    {
        CsvTable table = Read("\uFEFFa;b\n1;2\n", new CsvOptions { Separator = ';' });
        Assert.Equal(["a", "b"], table.Columns);
        Assert.Equal([1, 2], table.Rows[0]);
    }

    [Fact]
    public void Columns_are_chosen_in_the_order_asked_for()
    {
        CsvTable table = Read("id,x,y,class\n7,1,2,spam\n8,3,4,ham\n", new CsvOptions { Columns = ["y", "x"], Target = "class" });
        Assert.Equal(["y", "x"], table.Columns);
        Assert.Equal([[2, 1], [4, 3]], table.Rows);
        Assert.Equal(["spam", "ham"], table.Target);
    }

    [Fact]
    public void The_target_and_dropped_columns_are_no_features()
    {
        CsvTable table = Read("id,x,y,class\n7,1,2,spam\n", new CsvOptions { Drop = ["id"], Target = "class" });
        Assert.Equal(["x", "y"], table.Columns);
    }

    [Fact]
    public void Text_becomes_the_numbers_it_stands_for()
    {
        var categories = new Dictionary<string, IReadOnlyDictionary<string, double>> { ["sex"] = new Dictionary<string, double> { ["m"] = 0, ["f"] = 1 } };
        CsvTable table = Read("age,sex\n30,f\n40,m\n50,\n", new CsvOptions { Categories = categories });
        Assert.Equal([[30, 1], [40, 0], [50, double.NaN]], table.Rows);
        Assert.Equal(ImportError.NotANumber, Refused("age,sex\n30,x\n", new CsvOptions { Categories = categories }).Error);
    }

    [Fact]
    public void A_table_without_header_gets_names()
    {
        CsvTable table = Read("1,2\n3,4\n", new CsvOptions { Header = false });
        Assert.Equal(["Column_0", "Column_1"], table.Columns);
        Assert.Equal(2, table.Rows.Count);
    }

    [Fact]
    public void Select_orders_columns_as_a_model_wants_them()
    {
        CsvTable table = Read("a,b,c\n1,2,3\n");
        Assert.Equal([3, 1], table.Select(["c", "a"]).Rows[0]);
        Assert.Same(table, table.Select(["a", "b", "c"]));
        Assert.Equal(ImportError.UnknownColumn, Assert.Throws<ImportException>(() => table.Select(["z"])).Error);
    }

    [Theory]
    [InlineData("", ImportError.EmptyTable)]
    [InlineData("a,b\n", ImportError.EmptyTable)]
    [InlineData("a,a\n1,2\n", ImportError.BadColumnName)]
    [InlineData("a,\n1,2\n", ImportError.BadColumnName)]
    [InlineData("a,b\n1\n", ImportError.CellCount)]
    [InlineData("a,b\n1,2,3\n", ImportError.CellCount)]
    [InlineData("a,b\n1,x\n", ImportError.NotANumber)]
    [InlineData("a,b\n1,inf\n", ImportError.NotANumber)]
    [InlineData("a,b\n1,1e999\n", ImportError.NotANumber)]
    [InlineData("a,b\n1,\"2\n", ImportError.BadQuotes)]
    [InlineData("a,b\n1,\"2\"3\n", ImportError.BadQuotes)]
    [InlineData("a,b\n1,2\"3\n", ImportError.BadQuotes)]
    public void What_is_no_table_of_numbers_is_refused(string text, ImportError expected) => Assert.Equal(expected, Refused(text).Error);

    [Fact]
    public void A_refusal_says_line_and_column_and_names_all_columns_of_text()
    {
        string message = Refused("age,work,\"long\nname\",race\n39,State-gov,1,White\n").Message;
        Assert.Contains("Line 3", message, StringComparison.Ordinal);
        Assert.Contains("column 2 ('work')", message, StringComparison.Ordinal);
        Assert.Contains("work, race", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Caps_hold()
    {
        Assert.Equal(ImportError.TableTooLarge, Refused("a,b,c\n1,2,3\n", new CsvOptions { MaxColumns = 2 }).Error);
        Assert.Equal(ImportError.TableTooLarge, Refused("a,b\n1,2\n3,4\n", new CsvOptions { MaxCells = 3 }).Error);
        Assert.Equal(ImportError.TableTooLarge, Refused($"a\n{new string('1', 5000)}\n", new CsvOptions { MaxLine = 4000 }).Error);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
    {
        using var stream = new MemoryStream([(byte)'a', 10, 0xFF, 0xFE, 10]);
        Assert.Equal(ImportError.BadText, Assert.Throws<ImportException>(() => CsvTable.Read(stream)).Error);
    }

    [Fact]
    public void Asking_for_columns_that_are_not_there_is_refused()
    {
        Assert.Equal(ImportError.UnknownColumn, Refused("a\n1\n", new CsvOptions { Target = "b" }).Error);
        Assert.Equal(ImportError.UnknownColumn, Refused("a\n1\n", new CsvOptions { Drop = ["b"] }).Error);
        Assert.Equal(ImportError.UnknownColumn, Refused("a\n1\n", new CsvOptions { Columns = ["b"] }).Error);
    }

    [Fact]
    public void Mutated_tables_are_read_or_refused()
    {
        byte[] valid = Encoding.UTF8.GetBytes("\"a\",b,c\n1,2.5,\"3\"\n-4,,\"6e2\"\r\n7,8,9");
        var random = new Random(6);
        for (int i = 0; i < 20_000; i++) CsvTable.Fuzz(Mutation.Of(valid, random));
    }

    [SharedDataFact]
    public void Real_tables_are_read()
    {
        string folder = TestData.Path("inputs/tabular");
        CsvTable spam = CsvTable.Read(Path.Combine(folder, "spambase.csv"), new CsvOptions { Target = "58" });
        Assert.Equal((4601, 57), (spam.Rows.Count, spam.Columns.Count));
        Assert.Equal(1813, spam.Target.Count(target => target == "1"));
        CsvTable credit = CsvTable.Read(Path.Combine(folder, "UCI_Credit_Card.csv"), new CsvOptions { Drop = ["ID"], Target = "default.payment.next.month" });
        Assert.Equal((30_000, 23), (credit.Rows.Count, credit.Columns.Count));
        CsvTable breast = CsvTable.Read(Path.Combine(folder, "breast_cancer_wisconsin.csv"), new CsvOptions { Target = "diagnosis" });
        Assert.Equal((569, 30), (breast.Rows.Count, breast.Columns.Count));
        ImportException refused = Assert.Throws<ImportException>(() => CsvTable.Read(Path.Combine(folder, "adult.csv")));
        Assert.Contains("workclass, marital_status", refused.Message, StringComparison.Ordinal);
    }

    private static CsvTable Read(string text, CsvOptions? options = null)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return CsvTable.Read(stream, options);
    }

    private static ImportException Refused(string text, CsvOptions? options = null) => Assert.Throws<ImportException>(() => Read(text, options));
}
