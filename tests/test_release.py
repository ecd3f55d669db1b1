# SPDX-License-Identifier: BSD-2-Clause
"""`make release` in a small made-up project: each obstacle gives one line and no tag; without obstacles there is a tag."""

import hashlib
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "packaging/release"
BUILD = "mkdir -p build && cp content build/kexecx64.efi"


class Project:
    def __init__(self, root):
        self.root = root
        for name, text in {"GNUmakefile": "VERSION := 1.2\n", "CHANGELOG.md": "# Changes\n\n## 1.2 (2026-01-31)\n",
                           "debian/changelog": "kexec-efi (1.2-1) unstable; urgency=medium\n", "content": "image",
                           "packaging/release": SCRIPT.read_text(), ".gitignore": "build\n"}.items():
            self.write(name, text)
        (root / "packaging/release").chmod(0o755)
        self.git("init", "--quiet")
        self.commit("all: begin")

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def git(self, *arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(["git", *identity, "-C", self.root, *arguments], check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def commit(self, subject):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)

    def release(self, build=BUILD, check="echo 5 passed, 0 failed, 1 skipped"):
        """(status of `make release`, its last line)"""
        result = subprocess.run(["packaging/release", f"--build={build}", f"--check={check}"], cwd=self.root,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "t",
                                     "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"})
        return result.returncode, result.stdout.splitlines()[-1]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_release(project):
    status, line = project.release()
    assert (status, line) == (0, f"release: {project.root}/build/release and the tag v1.2")
    assert project.git("tag").split() == ["v1.2"]
    digests = dict(reversed(line.split()) for line in (project.root / "build/release/SHA256SUMS").read_text().splitlines())
    assert sorted(digests) == ["kexec-efi-1.2.tar.gz", "kexecx64.efi"]
    assert digests["kexecx64.efi"] == hashlib.sha256(b"image").hexdigest()
    status, line = project.release()
    assert (status, line) == (1, "release: expected a new version, found the tag v1.2")


@pytest.mark.parametrize("name, text, expected", [
    ("CHANGELOG.md", "## 1.2 (not released)\n", "expected '## 1.2 (YYYY-MM-DD)' first, found '## 1.2 (not released)'"),
    ("CHANGELOG.md", "## 1.1 (2026-01-31)\n", "found '## 1.1 (2026-01-31)'"),
    ("CHANGELOG.md", "nothing\n", "first, found none"),
    ("debian/changelog", "kexec-efi (1.2-1) UNRELEASED; urgency=medium\n", "debian/changelog: expected version 1.2 and a"),
    ("debian/changelog", "kexec-efi (1.1-1) unstable; urgency=medium\n", "debian/changelog: expected version 1.2 and a"),
    ("GNUmakefile", "all:\n", "expected a line 'VERSION := ', found none"),
])
def test_version_is_told_everywhere(project, name, text, expected):
    project.write(name, text)
    project.commit("all: change")
    status, line = project.release()
    assert status == 1 and expected in line
    assert project.git("tag") == ""


@pytest.mark.parametrize("subject", ["no area", "a: " + "b" * 70])
def test_subjects(project, subject):
    project.git("commit", "--quiet", "--allow-empty", "--message", subject)
    status, line = project.release()
    assert status == 1 and "expected 'area: summary' in 72 columns" in line and line.endswith(repr(subject))


def test_uncommitted(project):
    project.write("more", "")
    assert project.release() == (1, "release: expected that all is committed, found 1 changed files: more")


def test_builds_differ(project):
    status, line = project.release(build="mkdir -p build && pwd >build/kexecx64.efi")
    assert status == 1 and line.startswith("release: kexecx64.efi: expected one digest at two paths, found ")


@pytest.mark.parametrize("check, expected", [
    ("echo 5 passed, 1 failed", "expected 'N passed, 0 failed' last, found '5 passed, 1 failed'"),
    ("echo 0 passed, 0 failed", "expected 'N passed, 0 failed' last, found '0 passed, 0 failed'"),
    ("echo 5 passed, 0 failed; exit 3", "expected status 0, found 3; last line: '5 passed, 0 failed'"),
])
def test_tests_fail(project, check, expected):
    status, line = project.release(check=check)
    assert status == 1 and expected in line
    assert project.git("tag") == ""
