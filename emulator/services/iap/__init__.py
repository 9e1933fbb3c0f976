"""Identity-Aware Proxy: the policies that say who passes the proxy before a Cloud Run service."""
