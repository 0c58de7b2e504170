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


def test_a_preview_tells_the_first_rows_and_counts_all(cmdb, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("class,name,serial_number\nserver,web-1,SN12345\n")
    assert cmdb("import", "old.csv", "--name", "old").code == 0
    many = "".join(f"server,new-{at},SN9{at:04},\n" for at in range(30))
    (tmp_path / "new.csv").write_text(f"class,name,serial_number,os_name\nserver,web-1,SN12345,Debian\n{many}")
    told = cmdb("import", "new.csv", "--name", "new", "--dry-run")
    assert told.code == 0 and "of 31 rows 30 would create a CI, 1 would change one:" in told.out
    assert 'row 2: change server web-1 (by name=web-1, serial=SN12345): os_name nothing -> "Debian"' in told.out
    assert "row 21: create server new-18" in told.out and "row 22:" not in told.out and "and 11 more" in told.out
    assert len(json.loads(cmdb("import", "new.csv", "--name", "new", "--dry-run", "--json").out)["preview"]) == 31
    assert "would" not in cmdb("import", "new.csv", "--name", "new").out


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
