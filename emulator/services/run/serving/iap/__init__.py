"""Identity-Aware Proxy before services that ask for it (`iapEnabled`).

Documented: https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run.
"""
