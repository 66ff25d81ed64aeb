# Short names for what run.py does; there is nothing here that cannot be typed.
.PHONY: serve test bench demo lock

serve test bench demo:
	python3 run.py $@

# The lock file holds hashes and no addresses, so that any package index may serve it.
lock:
	uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-header --universal \
		--python-version 3.11 -o requirements.lock
