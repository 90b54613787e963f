namespace Kinora.Training;

/// <summary>A key without a value means that there is nothing of the kind, not that the plan chooses: it reads and writes <c>none</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NoneAttribute : Attribute;
