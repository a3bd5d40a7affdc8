"""The checklist of E2B's protocol: PyPI's `e2b` against whatever E2B_API_URL names."""

import base64
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from e2b import (
    AuthenticationException,
    CommandExitException,
    FileNotFoundException,
    InvalidArgumentException,
    NotFoundException,
    Sandbox,
    SandboxQuery,
    Template,
    TimeoutException,
)

SERVER = "python3 -m http.server 3000 --bind 127.0.0.1 --directory /etc"


@pytest.fixture
def sandbox():
    made = Sandbox.create("base", timeout=60, metadata={"owner": "a b&c=d%"}, envs={"X": "ü"})
    yield made
    made.kill()


def soon(what, check):
    end = time.time() + 10
    while not check():
        assert time.time() < end, what
        time.sleep(0.05)


def visit(sandbox, port, **headers):
    """Status and body of a sandbox's port."""
    route = {"e2b-sandbox-id": sandbox.sandbox_id, "e2b-sandbox-port": str(port), **headers}
    request = urllib.request.Request(f"{os.environ['E2B_SANDBOX_URL']}/hostname", headers=route)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_a_sandbox_has_what_it_was_made_with(sandbox):
    info = sandbox.get_info()
    assert info.metadata["owner"] == "a b&c=d%"
    assert abs((info.end_at - info.started_at).total_seconds() - 60) < 1.5
    assert sandbox.commands.run("echo $X $E2B_SANDBOX_ID").stdout == f"ü {sandbox.sandbox_id}\n"


def test_an_unknown_template_and_a_wrong_key_are_refused():
    with pytest.raises(Exception, match="404"):
        Sandbox.create("no-such")
    with pytest.raises(AuthenticationException):
        Sandbox.create("base", api_key="e2b_" + "1" * 40)


def test_lists_are_filtered_and_paged():
    made = [Sandbox.create("base", metadata={"list": "py thon", "k&=": "1=2%é+"}) for _ in range(3)]
    pages = Sandbox.list(query=SandboxQuery(metadata={"list": "py thon", "k&=": "1=2%é+"}), limit=2)
    listed = []
    while pages.has_next:
        listed += [s.sandbox_id for s in pages.next_items()]
    assert sorted(listed) == sorted(s.sandbox_id for s in made)
    for one in made:
        one.kill()


def test_killing_is_final():
    sandbox = Sandbox.create("base")
    assert sandbox.kill() is True
    assert sandbox.kill() is False
    assert not sandbox.is_running()
    with pytest.raises(NotFoundException):
        Sandbox.connect(sandbox.sandbox_id)


def test_time_runs_out():
    sandbox = Sandbox.create("base")
    sandbox.set_timeout(1)
    soon("it outlived its timeout", lambda: not sandbox.is_running())


def test_a_paused_sandbox_keeps_files_and_processes(sandbox):
    sandbox.files.write("kept", "1")
    process = sandbox.commands.run("sleep 50", background=True)
    sandbox.pause()
    resumed = Sandbox.connect(sandbox.sandbox_id)
    assert resumed.files.read("kept") == "1"
    assert any(p.pid == process.pid for p in resumed.commands.list())


def test_ports_that_are_not_public_want_the_traffic_token():
    sandbox = Sandbox.create("base", timeout=60, network={"allow_public_traffic": False})
    sandbox.commands.run(SERVER, background=True)
    token = {"e2b-traffic-access-token": sandbox.traffic_access_token}
    soon("nobody listens", lambda: visit(sandbox, 3000, **token)[0] == 200)
    assert visit(sandbox, 3001, **token)[0] == 502
    assert visit(sandbox, 3000)[0] == 403
    assert visit(sandbox, 3000, **{"e2b-traffic-access-token": "other"})[0] == 403
    sandbox.kill()


def test_a_visit_resumes_what_its_timeout_paused():
    sandbox = Sandbox.create("base", timeout=60, lifecycle={"on_timeout": "pause", "auto_resume": True})
    sandbox.commands.run(SERVER, background=True)
    soon("nobody listens", lambda: visit(sandbox, 3000)[0] == 200)
    sandbox.set_timeout(1)
    soon("it was not paused", lambda: sandbox.get_info().state == "paused")
    assert visit(sandbox, 3000)[0] == 200
    assert sandbox.get_info().state == "running"
    sandbox.kill()


def test_what_a_sandbox_uses_is_told(sandbox):
    assert sandbox.get_metrics()[0].mem_used > 0


def test_bytes_arrive_exactly(sandbox):
    for name, data in [("empty", b""), ("a/b c/ü.bin", bytes(range(256))), ("large", b"x" * (10 << 20))]:
        sandbox.files.write(name, data)
        assert bytes(sandbox.files.read(name, format="bytes")) == data, name
    many = sandbox.files.write_files([{"path": f"many/{n} x.txt", "data": str(n)} for n in range(3)])
    assert [f.path for f in many] == [f"/home/user/many/{n} x.txt" for n in range(3)]


def test_what_is_missing_or_a_folder_says_so(sandbox):
    with pytest.raises(FileNotFoundException):
        sandbox.files.read("none")
    with pytest.raises(NotFoundException):
        sandbox.files.list("none")
    with pytest.raises(InvalidArgumentException):
        sandbox.files.list("/etc/passwd")


def test_files_are_listed_made_moved_told_and_removed(sandbox):
    files = sandbox.files
    assert files.make_dir("d/e") is True
    assert files.make_dir("d/e") is False
    files.write("d/e/f", "12345")
    assert len(files.list("d", depth=2)) == 2
    assert files.rename("d/e/f", "d/g").path == "/home/user/d/g"
    sandbox.commands.run("chmod 640 d/g && ln -s g d/link")
    info = files.get_info("d/g")
    assert (info.size, info.permissions, info.owner) == (5, "-rw-r-----", "user")
    assert files.get_info("d/link").symlink_target == "/home/user/d/g"
    files.remove("d")
    assert not files.exists("d")


def test_changes_of_a_folder_are_seen(sandbox):
    sandbox.files.make_dir("w/deep")
    watch = sandbox.files.watch_dir("w", recursive=True)
    sandbox.files.write("w/deep/a", "1")
    sandbox.files.rename("w/deep/a", "w/b")
    sandbox.files.remove("w/b")
    seen = []

    def all_seen():
        seen.extend((e.type.value, e.name) for e in watch.get_new_events())
        wanted = [("create", "deep/a"), ("write", "deep/a"), ("rename", "deep/a"), ("create", "b"), ("remove", "b")]
        return all(w in seen for w in wanted)

    soon(f"not all was seen: {seen}", all_seen)
    watch.stop()


def test_signed_addresses_let_one_file_out(sandbox):
    sandbox.files.write("my file.txt", "content")
    url = sandbox.download_url("my file.txt", use_signature_expiration=10)
    headers = {"e2b-sandbox-id": sandbox.sandbox_id, "e2b-sandbox-port": "49983"}
    request = urllib.request.Request(url, headers=headers)
    assert urllib.request.urlopen(request).read() == b"content"


def test_exit_codes_and_both_outputs_are_told(sandbox):
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("echo out; echo err >&2; exit 7")
    assert (failed.value.exit_code, failed.value.stdout, failed.value.stderr) == (7, "out\n", "err\n")
    assert len(sandbox.commands.run("head -c 5000000 /dev/zero | tr '\\0' x").stdout) == 5_000_000
    assert sandbox.commands.run("printf '\\xe6\\x97'; sleep 0.2; printf '\\xa5'").stdout == "日"


def test_folder_user_and_variables(sandbox):
    run = sandbox.commands.run("pwd; whoami; echo $A", cwd="/tmp", user="root", envs={"A": "b c"})
    assert run.stdout == "/tmp\nroot\nb c\n"


def test_background_connect_input_and_kill(sandbox):
    cat = sandbox.commands.run("cat", background=True, stdin=True)
    cat.disconnect()
    sandbox.commands.send_stdin(cat.pid, "typed")
    assert any(p.pid == cat.pid for p in sandbox.commands.list())
    assert sandbox.commands.kill(cat.pid) is True
    assert sandbox.commands.kill(cat.pid) is False


def test_a_timeout_ends_a_command(sandbox):
    with pytest.raises(TimeoutException):
        sandbox.commands.run("sleep 60", timeout=0.5)


def test_a_terminal_has_a_size(sandbox):
    from e2b import PtySize

    terminal = sandbox.pty.create(size=PtySize(rows=30, cols=100))
    sandbox.pty.send_stdin(terminal.pid, b"stty size; exit\n")
    text = b""
    for _, _, data in terminal:
        text += data or b""
    assert b"30 100" in text


def test_an_answer_comes_whole_however_late_the_request_ends(sandbox):
    """Clients write the end of a stream when they please; what was answered before that must not be lost."""
    start = {"process": {"cmd": "/bin/true", "args": [], "envs": {}}, "stdin": False}
    message = json.dumps(start).encode()
    envelope = b"\0" + len(message).to_bytes(4, "big") + message
    address = urllib.parse.urlparse(os.environ["E2B_SANDBOX_URL"])
    fields = {
        "host": "sandbox",
        "e2b-sandbox-id": sandbox.sandbox_id,
        "e2b-sandbox-port": "49983",
        "authorization": f"Basic {base64.b64encode(b'user:').decode()}",
        "x-access-token": sandbox._envd_access_token or "",
        "content-type": "application/connect+json",
        "transfer-encoding": "chunked",
    }
    head = "POST /process.Process/Start HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    # Late is about when the process ends, which takes it a few milliseconds.
    for attempt in range(300):
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head.encode() + b"%x\r\n" % len(envelope) + envelope + b"\r\n")
            time.sleep([0.001, 0.002, 0.003][attempt % 3])
            connection.sendall(b"0\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                more = connection.recv(65536)
                assert more, f"attempt {attempt} was cut off: {answer}"
                answer += more
            assert b'"exited":true' in answer, answer


def test_a_template_is_built_from_uploaded_files_tagged_and_used(tmp_path):
    (tmp_path / "hello.txt").write_text("hello")
    template = (
        Template(file_context_path=tmp_path)
        .from_image("debian:13-slim")
        .set_envs({"GREETING": "hi"})
        .copy("hello.txt", "/opt/x/hello.txt")
        .run_cmd("echo built > /home/user/made")
        .set_start_cmd(SERVER, "curl -fs localhost:3000")
    )
    lines = []
    built = Template.build(template, "py-template:v1", on_build_logs=lambda entry: lines.append(entry.message))
    assert any("RUN" in line for line in lines), lines
    assert Template.exists("py-template")
    Template.assign_tags("py-template:v1", ["stable"])
    sandbox = Sandbox.create("py-template:stable")
    assert sandbox.commands.run("cat /opt/x/hello.txt ~/made; echo $GREETING").stdout == "hellobuilt\nhi\n"
    assert visit(sandbox, 3000)[0] == 200
    assert sandbox.get_info().template_id == built.template_id
    sandbox.kill()


def test_a_failed_build_says_which_step_and_why():
    lines = []
    failing = Template().from_image("debian:13-slim").run_cmd("echo fine").run_cmd("echo went wrong; exit 3")
    with pytest.raises(Exception, match="went wrong|exit status 3"):
        Template.build(failing, "py-failing", on_build_logs=lambda entry: lines.append(entry.message))
    assert any("went wrong" in line for line in lines)
