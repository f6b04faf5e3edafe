"""The loss of a run as a picture."""

from pathlib import Path

from coalm import store


def loss_plot(metrics: Path, picture: Path) -> bool:
    """Draw training and validation loss over steps as SVG; False where matplotlib is missing."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        return False
    rows = store.read_log(metrics)
    trained = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    checked = [(row["step"], row["eval_loss"]) for row in rows if "eval_loss" in row]
    with rc_context({"svg.hashsalt": "coalm"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        if trained:
            axes.plot(*zip(*trained, strict=True), label="training", color="#2563eb")
        if checked:
            axes.plot(*zip(*checked, strict=True), "o", label="validation", color="#ea580c")
        axes.set(xlabel="optimizer step", ylabel="loss (nats a learned token)", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        picture.parent.mkdir(parents=True, exist_ok=True)
        with store.atomic(picture, "wb") as file:
            figure.savefig(file, format="svg", metadata={"Date": None})
    return True
