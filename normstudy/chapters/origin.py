"""Where the results of a sweep come from, in words."""

from normstudy.display.figures import escape
from normstudy.display.notation import count, counted, exact, listed, out_of
from normstudy.experiments import provenance, tables
from normstudy.experiments.tables import Shown


def sentences(shown: Shown) -> list[str]:
    """What the results were made on, by which command and on which machine, and whether the code has changed since."""
    runs, file = shown.rows["run"].nunique(), shown.sweep.name
    said = []
    if shown.dataset != shown.asked:
        said.append(
            f"These runs are on {shown.dataset}, since there are none on {shown.asked} yet: "
            f"`normstudy sweep params/{file} -p dataset {shown.asked}` makes them."
        )
    makers = ", and ".join(escape(maker) for maker in shown.rows["made_by"].unique())
    published = "were made here" if shown.table.parent.name == "sweeps" else "come with the project"
    what = "this run" if runs == 1 else f"these {counted(runs, 'run')}"
    said.append(
        f"The results of {what} on {shown.dataset} {published}. They were made by "
        f"`{tables.command_of(shown.table)}` on: {makers}."
    )
    if shown.lacking:
        names = listed([f"`{name}`" for name in shown.lacking])
        said.append(f"They lack {names}, which came to the project later; the same command makes these runs, too.")
    older = shown.rows.loc[~shown.rows["code"].map(provenance.is_present), "run"].nunique()
    if older:
        said.append(
            f"{out_of(older, runs, 'run').capitalize()} preceded the last change of the code that trains; "
            f"the same command makes them anew."
        )
    return said


def numbers(shown: Shown) -> dict[str, int | str]:
    """What the text says of a sweep: its dataset, how many runs and seeds, and the settings that all runs share."""
    runs = shown.rows.drop_duplicates("run")
    said: dict[str, int | str] = {"dataset": shown.dataset, "runs": len(runs), "seeds": int(runs["seed"].nunique())}
    for name, written in (("epochs", count), ("batch_size", count), ("learning_rate", exact)):
        if runs[name].nunique() == 1:
            said[name] = written(runs[name].iloc[0])
    return said
