namespace Cloister.Homomorphic.Import.Tests;

public sealed class CsvTableTests
{
    [Fact]
    public void A_table_keeps_its_columns_in_order() => Assert.Equal(["a", "b"], new CsvTable(["a", "b"], [[1, 2]]).Columns);
}
