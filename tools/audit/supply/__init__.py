"""What the project is built from: locks, licences, known vulnerabilities, and leaked secrets."""
