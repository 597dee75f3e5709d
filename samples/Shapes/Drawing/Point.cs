namespace Cloister.Samples.Shapes.Drawing;

/// <summary>A point of the plane, in pixels or in units of a shape's radius.</summary>
internal readonly record struct Point(double X, double Y);
