"""Sources on the network, and the loop that pulls what the store lacks from them."""
