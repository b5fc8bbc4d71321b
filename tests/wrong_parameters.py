"""Parameters that are refused, each with a part of the line that says why."""

COUNTS = ("groups", "epochs", "batch_size", "seed", "threads")
AMOUNTS = ("learning_rate", "l1", "l2", "rotation", "shift", "scale")
NO_NUMBER = ("", "three", "1,5", None, True, [2], {}, float("nan"), "nan", float("inf"), "-inf")

WRONG_VALUES = [
    *[("norm_arg", value, "'batch', 'layer'") for value in ("batchh", "", "Batch", 1, None, "<b>", float("nan"))],
    *[("dataset", value, "'mnist'") for value in ("minst", "", 3, None, "../mnist", float("inf"))],
    *[("device", value, "'auto'") for value in ("gpu", "", "cuda:7", 0, None, float("nan"))],
    *[(name, value, "it must be") for name in COUNTS for value in (*NO_NUMBER, 2.5, "2.5", "1e3x")],
    *[(name, value, "it must be") for name in AMOUNTS for value in NO_NUMBER],
    *[("groups", value, "greater than or equal to 1") for value in (0, -4, "-1")],
    *[("epochs", value, "than or equal to") for value in (0, -1, "0", 10**9)],
    *[("batch_size", value, "than or equal to") for value in (0, 1, -128, 10**9)],
    *[("learning_rate", value, "than") for value in (0, -0.1, 1e9)],
    *[("l1", value, "than or equal to") for value in (-1, "-0.001", 11)],
    *[("l2", value, "than or equal to") for value in (-1e-9, "1e3")],
    *[("rotation", value, "than or equal to") for value in (-1, 181)],
    *[("shift", value, "than or equal to") for value in (-1, 15)],
    *[("scale", value, "than") for value in (-0.1, 1, 1.5)],
    *[("seed", value, "than") for value in (-1, 2**40)],
    *[("threads", value, "than or equal to") for value in (0, -2, 10**6)],
    *[("epochs", value, "it must be a plain decimal number") for value in ("010", "0x10", "0o10", "1_000", "1:30")],
    *[("baseline", value, "it must be the folder of an earlier run, with its") for value in ("nowhere", "params")],
    *[("baseline", value, "it must be a valid string") for value in (1, None, True)],
    *[("l1", value, "it must be a plain decimal number") for value in ("00.1", "1_0.5", "0x1p-3", "1:30.5", " 0.1")],
]

MISSPELT = [
    *[(f"{name}{ending}", f"did you mean {name}?") for name in ("epochs", "norm_arg", "batch_size") for ending in "sx"],
    ("epoch", "did you mean epochs?"),
    ("learningrate", "did you mean learning_rate?"),
    ("normarg", "did you mean norm_arg?"),
    ("Dataset", "did you mean dataset?"),
    ("batch-size", "did you mean batch_size?"),
    *[(name, "there are norm_arg, dataset") for name in ("lr", "", "__class__")],
]

GROWING = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]\n" for n in range(1, 30))

FILES = {
    "nothing": ("", "holds nothing"),
    "a list": ("- batch\n- layer\n", "holds a list"),
    "a word": ("batch", "holds a word"),
    "not YAML": ("norm_arg: [batch", "is not a YAML file"),
    "a tab": ("norm_arg:\tbatch\n\t- x", "is not a YAML file"),
    "a Python object": ("l1: !!python/object/apply:os.system ['touch hacked']", "holds a tag"),
    "a Python name": ("l1: !!python/name:os.system", "holds a tag"),
    "a mapping in a mapping": ("l1: {value: 0.1}", "l1 holds a mapping"),
    "a list in a mapping": ("seed: [1, 2]", "seed holds a list"),
    "no value": ("l1:", "l1 is empty; it must be a plain decimal number"),
    "a number as name": ("1: batch", "1 is not a parameter"),
    "a list as name": ("[norm_arg]: batch", "is not a YAML file"),
    "a name twice": ("norm_arg: batch\nl1: 0.1\nnorm_arg: layer", "norm_arg is there again in line 3"),
    "a name twice on a line": ("{l1: 0.1, l1: 0.1}", "l1 is there again in line 1"),
    "an octal number": ("epochs: 010", "epochs is 010; it must be a plain decimal number"),
    "a hexadecimal number": ("epochs: 0x10", "epochs is 0x10; it must be a plain decimal number"),
    "a number with underscores": ("epochs: 1_000", "epochs is 1_000; it must be a plain decimal number"),
    "a time of day": ("epochs: 1:30", "epochs is 1:30; it must be a plain decimal number"),
    **{
        f"the word {word}": (f"norm_arg: {word}", f"norm_arg is {word}; it must be 'batch', 'layer', 'group'")
        for word in ("no", "off", "yes", "on", "true", "null", "~", "2024-01-01", ".nan")
    },
    "a date": ("l1: 2024-01-01", "l1 is 2024-01-01; it must be a plain decimal number"),
    "deep nesting": ("[" * 1500, "is not a YAML file"),
    "an unknown name": ("epoch: 3", "did you mean epochs?"),
    "a wrong value": ("epochs: 0", "epochs is 0"),
    "too much": ("# " + "x" * 200_000, "at most 100,000"),
    "an alias": ("l1: &amount 0.1\nl2: *amount", "holds an alias"),
    "lists that grow": (GROWING, "holds an alias"),
}
