from __future__ import annotations

import csv
import json
from pathlib import Path

TABLE = "class,name,os_name\nserver,web-1,Debian\nserver,web-2,=1+1\n"


def test_a_table_goes_in_and_comes_out(cmdb, tmp_path: Path) -> None:
    (tmp_path / "servers.csv").write_text(TABLE)
    preview = cmdb("import", "servers.csv", "--name", "cmdb", "--dry-run")
    assert preview.code == 0 and "2 new" in preview.out and "nothing was changed" in preview.out
    done = cmdb("import", "servers.csv", "--name", "cmdb", "--complete", "--json")
    assert done.code == 0 and json.loads(done.out)["applied"], done.err
    assert "applying: 2 rows" in done.err
    listed = json.loads(cmdb("list", "--select", 'os_name == "Debian"', "--json").out)
    assert [item["name"] for item in listed] == ["web-1"]
    assert cmdb("export", "--select", 'class == "server"', "--to", "out.csv").code == 0
    with (tmp_path / "out.csv").open(newline="") as out:
        rows = {row["name"]: row["os_name"] for row in csv.DictReader(out)}
    assert rows == {"web-1": "Debian", "web-2": "'=1+1"}
    lines = cmdb("export", "--format", "jsonl").out.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {"web-1", "web-2"}


def test_refusals_are_told(cmdb, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text("class,name\nservr,x\n")
    refused = cmdb("import", "wrong.csv", "--name", "cmdb")
    assert refused.code == 1 and "row 2, class: unknown class 'servr'" in refused.out
    (tmp_path / "half.csv").write_text("class,name\nservr,x\nserver,half\n")
    half = cmdb("import", "half.csv", "--name", "half", "--skip-faults")
    assert half.code == 1 and "row 2, class" in half.out and "1 fault; what has them was left out" in half.err
    assert "half" in cmdb("list").out
    nowhere = cmdb("export", "--to", "nowhere/out.csv")
    assert nowhere.code == 2 and "nowhere/out.csv" in nowhere.err and "Traceback" not in nowhere.err
    assert cmdb("import", "absent.csv", "--name", "cmdb").code == 5
    wrong = cmdb("export", "--select", "nonsense == 1", "--to", "out.csv")
    assert wrong.code == 1 and "column 1" in wrong.err
    assert not list(tmp_path.glob("out.csv*"))
