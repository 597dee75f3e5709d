namespace Cloister.Homomorphic.Import.Tests;

public sealed class ImportErrorTests
{
    [Fact]
    public void Numbers_are_stable()
    {
        (int, string)[] expected =
        [
            (101, "UnknownKind"), (102, "Malformed"), (103, "TooLarge"), (104, "UnsupportedVersion"), (105, "MissingMember"),
            (201, "UnknownOperator"), (202, "UnknownMember"), (203, "Unsupported"), (204, "LengthMismatch"), (205, "NotFinite"), (206, "BrokenTree"),
            (207, "OutOfRange"), (208, "UnsupportedObjective"), (209, "BrokenGraph"),
            (301, "BadQuotes"), (302, "CellCount"), (303, "NotANumber"), (304, "UnknownColumn"), (305, "BadColumnName"), (306, "BadText"), (307, "TableTooLarge"), (308, "EmptyTable"),
        ];
        Assert.Equal(expected, Enum.GetValues<ImportError>().Select(error => ((int)error, error.ToString())));
    }
}
